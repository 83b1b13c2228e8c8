/** Lines in which Next warns or fails, in what `next build`, `next start` or `next dev` has printed. */

/** Of the machine, not of the application. */
const OF_THE_MACHINE = /Slow filesystem detected/

/** @param output of Next; lines of Coatcheck's own log are JSON and left out */
export function complaintsIn(output: string): readonly string[] {
  const plain = output.replace(/\u001B\[[\d;]*m/g, '').split('\n')
  return plain.filter(
    (line) =>
      !line.startsWith('{') &&
      !OF_THE_MACHINE.test(line) &&
      /⚠|⨯|\bwarn|\berror\b|deprecat|uncached|Date\.now\(\)|<Suspense>|hydrat/i.test(line),
  )
}
