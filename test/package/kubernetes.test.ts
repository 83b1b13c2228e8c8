/**
 * Every Kubernetes object of the pages is a value of the type that its `apiVersion` and `kind` name: no field that the API does not
 * have, none missing, none of another kind. The types come from the registry, for no part of this project needs them.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { objectsIn, typedObjects } from '../docs/block-manifests.ts'
import { blocksOf, pagesWithBlocks, placeOf } from '../docs/blocks.ts'
import { newProject, outsideOfNpm, placeWithoutPackages, root } from './packing.ts'

const TYPES = 'kubernetes-types@1.30.0'
const run = promisify(execFile)
const project = mkdtempSync(join(placeWithoutPackages(), 'coatcheck-kubernetes-'))
const found = pagesWithBlocks()
  .flatMap(blocksOf)
  .filter(({ language }) => language === 'yaml')
  .map((block) => [placeOf(block), objectsIn(block.code)] as const)
  .filter(([, objects]) => objects.length > 0)

beforeAll(async () => {
  newProject(project, { name: 'kubernetes' })
  await run('npm', ['install', TYPES], { cwd: project, env: outsideOfNpm() })
}, 300_000)
afterAll(() => rmSync(project, { recursive: true, force: true }))

it('objects of the pages have the types of the API', async () => {
  expect(found.map(([place]) => place.split(':')[0])).toContain('docs/deploy.md')
  for (const [place, objects] of found) writeFileSync(join(project, fileOf(place)), typedObjects(objects))
  expect(await compile(found.map(([place]) => fileOf(place)))).toBe('')
})

it('a field that the API does not have is found, and so is a port of another kind', async () => {
  const [, objects = []] = found.find(([place]) => place.startsWith('docs/deploy.md')) ?? []
  const text = typedObjects(objects)
  writeFileSync(join(project, 'field.ts'), text.replace('"readinessProbe"', '"readynessProbe"'))
  writeFileSync(join(project, 'kind.ts'), text.replace('"containerPort": 3000', '"containerPort": "3000"'))
  const said = await compile(['field.ts', 'kind.ts'])
  expect(said).toMatch(/^field\.ts.*readynessProbe/m)
  expect(said).toMatch(/^kind\.ts.*'string' is not assignable to type 'number'/m)
})

/** `docs/deploy.md:80` is `docs-deploy-md-80.ts`: messages of the compiler name the block. */
function fileOf(place: string): string {
  return `${place.replace(/\W+/g, '-')}.ts`
}

/** @returns what the compiler says: empty when it has no complaint */
async function compile(files: readonly string[]): Promise<string> {
  const options = ['--noEmit', '--strict', '--module', 'esnext', '--moduleResolution', 'bundler', '--ignoreConfig']
  const compiler = [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...files]
  return run(process.execPath, compiler, { cwd: project }).then(
    () => '',
    (error: unknown) => (error as { stdout: string }).stdout,
  )
}
