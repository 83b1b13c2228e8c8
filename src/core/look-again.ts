/**
 * That there is nothing, or nothing that opens, is not believed of one answer: the store is asked once more, and whether its answers
 * belong to the questions. Somebody who is signed in is not signed out because an answer went astray (redis/reply-alignment.ts).
 */

/**
 * @param confirming asked before `looking`, so that a driver that keeps answers forgets the first one; rejects when answers do not
 *   belong to their questions
 * @returns the second answer, which counts
 */
export async function lookAgain<T>(confirming: Promise<void>, looking: Promise<T>): Promise<T> {
  const [, again] = await Promise.all([confirming, looking])
  return again
}
