/** The scope of blocks with `with: visit`: one request of a signed-in user and a `web`. The page itself makes its `auth`. */
export { request, response, web } from './application.js'
export { coatcheck } from 'coatcheck'
