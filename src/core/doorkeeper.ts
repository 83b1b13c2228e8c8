/**
 * Decides which values its cache takes in: those that are seen for a second time. With many more users than entries, most values are read
 * once and never again while they are cached. Keeping them costs the garbage collector more than it saves.
 */

const WAYS = 4
const SETS = 16_384

export class Doorkeeper {
  /** The latest fingerprints of each set, the newest first. */
  #seen: Uint32Array | null = null

  /**
   * Returns whether the value was seen before, and remembers it. It remembers some 65,000 values, and forgets a value when newer ones need
   * its place. A wrong `true` is rare, and costs only the memory of one entry.
   * @param fingerprint 32 bits that are random for each value
   */
  isKnown(fingerprint: number): boolean {
    const seen = (this.#seen ??= new Uint32Array(SETS * WAYS))
    const first = (fingerprint & (SETS - 1)) * WAYS
    for (let at = first; at < first + WAYS; at++) if (seen[at] === fingerprint) return true
    seen.copyWithin(first + 1, first, first + WAYS - 1)
    seen[first] = fingerprint
    return false
  }
}

/** Returns 32 bits of a hash (FNV-1a) of a text. Two texts may share them. */
export function fingerprintOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
