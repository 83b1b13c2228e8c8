/**
 * Confirms a miss. A single reply that no record exists, or a record that does not open, is never trusted: the reply may belong to another
 * command (`redis/reply-alignment.ts`), and a signed-in user would be signed out. The caller reads again while the driver verifies that its
 * replies are aligned.
 *
 * @param confirming the driver's `confirm()`, started before `looking`, so that a driver with a near cache forgets the first reply. Rejects
 *   when replies are misaligned
 * @returns the second reply, which counts
 */
export async function confirmMiss<T>(confirming: Promise<void>, looking: Promise<T>): Promise<T> {
  const [, again] = await Promise.all([confirming, looking])
  return again
}
