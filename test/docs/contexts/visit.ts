/** One request of a signed-in user, and a `web` to ask, for pages that make an `auth` of their own before their eyes. */
export { request, response, web } from './application.js'
export { coatcheck } from 'coatcheck'
