import { routeHandlers } from 'coatcheck/next'
import { auth } from '../../../auth.js'

export const { GET, POST, DELETE, HEAD, OPTIONS } = routeHandlers(auth)
