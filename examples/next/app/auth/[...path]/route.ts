/** Sign-in, callback, sign-out, session and devices. */
import { routeHandlers } from 'coatcheck/next'
import { auth } from '../../../lib/auth'

export const { GET, POST, DELETE, HEAD, OPTIONS } = routeHandlers(auth)
