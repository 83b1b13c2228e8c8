#!/usr/bin/env node
/**
 * Entry point of the `coatcheck` command. Everything else is in `program.ts`, which a test can call. It is loaded only after the check of
 * the Node version.
 */
function start(): Promise<void> {
  return import('../core/node-version.ts').then(run, (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    process.exitCode = 1
  })
}

async function run(): Promise<void> {
  const [{ runProgram }, { processTerminal }] = await Promise.all([import('./program.ts'), import('./terminal.ts')])
  process.exitCode = await runProgram(process.argv.slice(2), processTerminal())
}

await start()
