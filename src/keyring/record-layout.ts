/**
 * The bytes of a sealed record, for every module that reads a part without opening it: `seal.ts` writes them, drivers and Lua scripts
 * (`stores/redis/scripts/record-parts.ts`) compare them.
 *   headroom · format (1) · key tag (4) · nonce (12) · ciphertext · tag (16)
 * The headroom is in the clear. It is 8 bytes in records of sessions and tokens. A document has none.
 * Offsets begin at 0, behind the headroom. Stored records have this layout, so no number here may change.
 */

export const KEY_TAG_AT = 1
const KEY_TAG_BYTES = 4
export const NONCE_AT = KEY_TAG_AT + KEY_TAG_BYTES
export const NONCE_BYTES = 12
export const AUTH_TAG_BYTES = 16

/** The bytes that show format and key only. */
export const SEALED_BY_BYTES = KEY_TAG_AT + KEY_TAG_BYTES
/** The bytes that show format, key and nonce of a record. */
export const SEALED_HEAD_BYTES = NONCE_AT + NONCE_BYTES

/** Headroom of a session's record: the user's generation. The driver writes the stored one. Zero in an anonymous record. */
export const GENERATION_BYTES = 8
/** Headroom of a token's record: the end of its life, epoch ms of the server's clock, big-endian. The driver writes it. */
export const END_OF_LIFE_BYTES = 8
