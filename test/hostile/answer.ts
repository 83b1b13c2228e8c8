/** Changes of a token answer, for sign-ins and refreshes. */
import type { Body } from '../support/hostile-provider.ts'
import type { HostileCase } from './case.ts'

export type Change = HostileCase['change']

/** The honest answer with other or further members. */
export const answer =
  (more: Body): Change =>
  ({ script }) =>
    void (script.answer = (honest) => ({ ...honest, ...more }))

/** The honest answer without one member. */
export const without =
  (name: string): Change =>
  ({ script }) =>
    void (script.answer = ({ [name]: _, ...rest }) => rest)

/** A whole response in place of the honest answer. */
export const instead =
  (make: (honest: Body) => Response): Change =>
  ({ script }) =>
    void (script.answer = make)
