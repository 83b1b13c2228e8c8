/** Findings about the data in Redis. If you add one, add its row in docs/doctor.md (a test compares both). */
import { type CatalogueFinding, error, warning } from './entry.ts'

export const dataFindings = {
  DOCTOR_KEY_WRONG: {
    ...error,
    cause: 'configuration',
    title: 'No record opens with the configured keys',
    why: 'All sessions in the sample were encrypted with a key that is not in COATCHECK_KEYS. All users are signed out, and none can continue the same session.',
    fix: 'Put the key that the application used until now into COATCHECK_KEYS, behind the new one if there is one.',
  },
  DOCTOR_KEY_RETIRED: {
    ...error,
    title: 'A key was retired while records are sealed with it',
    why: 'Their users are signed out, and their tokens cannot be read.',
    fix: 'Put the old key back behind the first one. It may go when coatcheck keys rotate has re-encrypted everything.',
  },
  DOCTOR_KEY_ORDER: {
    ...warning,
    title: 'Another key than the first one is sealing',
    why: 'A sign-in that began minutes ago was sealed by it: some instance has the keys in another order, or was not restarted. If it does not know the first key at all, it cannot open what the others write.',
    fix: 'Give all instances the same COATCHECK_KEYS: first the new key behind the old one everywhere, then in front.',
  },
  DOCTOR_KEYS_WITHOUT_TTL: {
    ...warning,
    title: 'Keys of Coatcheck without a lifetime',
    why: 'It writes none but users, accounts and values that another library wants to keep for ever. These were changed by hand, copied or restored without their times, and stay for ever.',
    fix: 'Give them one (PEXPIRE), or look at them with coatcheck keys scan.',
  },
  DOCTOR_ORPHANS: {
    ...warning,
    title: 'Parts of sessions whose other part is missing',
    why: 'An entry in the list of a user that leads to no session, or a session without its generation. Something removed one key of several that belong together: eviction, a UNLINK by hand, a partial restore.',
    fix: 'Find the cause first (eviction, above all). The remains end by themselves; coatcheck keys repair removes them now.',
  },
  DOCTOR_PREFIX: {
    ...warning,
    title: 'The sessions are under another prefix',
    why: 'The configured prefix has no sessions, and another prefix has. Commands and applications with this configuration find no sessions.',
    fix: 'Set REDIS_PREFIX (or the option prefix) to what the application uses.',
  },
  DOCTOR_TOKEN_IN_KEY_NAME: {
    ...warning,
    title: 'Tokens stand in the names of keys',
    why: 'Names show up in MONITOR, SLOWLOG, error texts and every list of keys, so every operator of Redis can read these tokens.',
    fix: 'Let Coatcheck keep the tokens, or hash the name; then delete these keys.',
  },
  DOCTOR_PLAIN_TOKENS: {
    ...warning,
    title: 'Tokens of another store lie here in plain text',
    why: 'Redis does not encrypt values: a backup or a GET shows live access and refresh tokens. They are often one blob for all users, too, with lost updates.',
    fix: 'Move them to tokens.setUserTokens() or one of the stores for other libraries (coatcheck/msal, coatcheck/authjs), and delete these keys.',
  },
  DOCTOR_FOREIGN_WITHOUT_TTL: {
    ...warning,
    title: 'Sessions or tokens of another store never end',
    why: 'They have no lifetime: a session stays valid until it is ended, a refresh token stays readable, and memory grows.',
    fix: 'Give them one (PEXPIRE), or move them to Coatcheck, whose keys all have one.',
  },
  DOCTOR_OLD_KEYS_IN_USE: {
    ...warning,
    title: 'Old keys are still read',
    why: 'Requests of the last hour read their session or token from the records of the old library. Without migrateFrom, these users would be signed out.',
    fix: 'Keep migrateFrom. coatcheck migrate status shows the next step; coatcheck migrate sessions moves the remaining sessions at once.',
  },
  DOCTOR_OLD_KEYS_UNUSED: {
    ...warning,
    title: 'Nothing was read from the old format for 7 days',
    why: 'All processes run in the mode move, and no request has found an old record. The option only costs a read for each unknown session.',
    fix: 'Remove migrateFrom, and then the old keys that are left: coatcheck migrate status counts them.',
  },
} as const satisfies Record<string, CatalogueFinding>
