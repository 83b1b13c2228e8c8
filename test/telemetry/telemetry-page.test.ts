/** docs/telemetry.md against the code: every figure, every event, every alert. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { logLines } from '../../src/telemetry/log-lines.ts'
import { LIVE_SESSIONS, type Meter, meters, prometheusName } from '../../src/telemetry/meters.ts'
import { LIFECYCLE_EVENTS } from '../../src/stores/redis/event-stream.ts'

const page = readFileSync('docs/telemetry.md', 'utf8')
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  )

test('has a row for each figure, in the order of the table, and no other', () => {
  const wanted = Object.values(meters as Readonly<Record<string, Meter>>).map((meter) => [
    prometheusName(meter),
    meter.conventionalName ?? meter.name,
    meter.labels.join(', '),
    meter.description,
  ])
  const { name, description } = LIVE_SESSIONS
  wanted.push([name.replaceAll('.', '_'), name, '', description])
  expect(rows.filter(([first]) => first?.startsWith('coatcheck_'))).toEqual(wanted)
})

test('has a row for each event in the log, with its level, area and message', () => {
  const known = Object.entries(logLines)
  const told = rows.filter(([first]) => known.some(([name]) => name === first))
  expect(told.map(([name, , area, text]) => [name, area, text])).toEqual(
    known.map(([name, { area, text }]) => [name, area, text]),
  )
  for (const [name, { level }] of known) {
    const [, levels] = told.find(([first]) => first === name) ?? []
    if (typeof level === 'string') expect([name, levels]).toEqual([name, level])
    else expect(levels).toMatch(/debug|info|warn|error/)
  }
})

test('says of each alert what to do, and which events are in the streams', () => {
  const rules = readFileSync('docs/prometheus/coatcheck-alerts.yml', 'utf8')
  for (const [, name = ''] of rules.matchAll(/- alert: (\w+)/g)) expect(page).toContain(`\`${name}\``)
  for (const name of LIFECYCLE_EVENTS) expect(page).toContain(`\`${name}\``)
})
