import { describeWithKubo } from '@p2pl/tooling-kubo/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { install, managers, type Manager, run } from '../src/index.ts'
import { nodes, obstacle, oldest } from '../src/nodes.ts'
import { testRegistry } from '../src/test.ts'
import { doorsOf, everything, installed, names } from './consumer.ts'
import { commands, elsewhere, type Sample, samples, samplesWithDaemon } from './samples.ts'

const place = temporaryFolder()
const registry = testRegistry()

/** Runs a sample in a folder below the one with the installed packages. */
async function runSample(
  folder: string,
  node: string,
  { code, args = [] }: Sample,
  env = registry.env
): Promise<string> {
  const cwd = mkdtempSync(join(folder, 'sample-'))
  writeFileSync(join(cwd, 'sample.ts'), code)
  return await run(node, [...args, 'sample.ts'], { cwd, env })
}

function expectPrinted(printed: string, { prints }: Sample): void {
  if (typeof prints === 'string') expect(printed).toBe(prints)
  else expect(printed).toMatch(prints)
}

it('every package has a sample', () => {
  const covered = [...Object.keys({ ...samples, ...samplesWithDaemon, ...commands }), ...elsewhere]
  expect(covered.toSorted()).toEqual(names.toSorted())
})

/**
 * One Node per package manager. The oldest one runs every sample, the others a share each; in a long run all of them
 * run all samples.
 */
const long = process.env['P2PL_LONG'] === '1'
const cells = managers.flatMap((manager, row) =>
  Object.keys(nodes).flatMap((node, column) => (long || row === column ? [[manager, node, row] as const] : []))
)
if (!long)
  process.stdout.write(`rehearsal: ${cells.length} of 9 pairs of package manager and Node; npm run test:long has all\n`)

describe.each(cells)('installed by %s, on Node %s', (manager: Manager, node, row) => {
  const folder = join(place, `${manager} ${node}`)
  const binary = nodes[node] ?? ''

  beforeAll(async () => {
    await install(registry, folder, everything, manager)
  }, 300_000)

  beforeEach((context) => {
    const missing = obstacle(node)
    if (missing !== undefined) context.skip(missing)
  })

  it('every door opens, and all packages have one version', async () => {
    const versions = new Set(names.map((name) => installed(folder, name).version))
    expect([...versions]).toEqual([expect.stringMatching(/^(?!0\.0\.0$)\d+\.\d+\.\d+$/)])
    const doors = names.flatMap((name) => doorsOf(folder, name))
    const code = `for (const door of ${JSON.stringify(doors)}) console.log(Object.keys(await import(door)).length > 0)`
    const printed = await runSample(folder, binary, { code, prints: '' })
    expect(printed).toBe('true\n'.repeat(doors.length))
  })

  it.each(long || row === 0 ? Object.entries(commands) : [])(
    'the commands of %s do what they say',
    async (_, sample) => {
      const cwd = mkdtempSync(join(folder, 'commands-'))
      const path = [join(folder, 'node_modules/.bin'), registry.env['PATH']].join(':')
      const env = { ...registry.env, PATH: path, P2PL_DIR: join(cwd, 'peer') }
      expectPrinted(await run('sh', ['-euc', sample.code], { cwd, env }), sample)
    }
  )

  const isChosen = (index: number): boolean => long || node === oldest || index % managers.length === row
  const share = Object.entries(samples).filter((_, index) => isChosen(index))
  it.each(share)('the sample of %s does what it says', async (_, sample) => {
    expectPrinted(await runSample(folder, binary, sample), sample)
  })
})

describeWithKubo('installed by npm, with a daemon', (daemon) => {
  it.each(Object.entries(samplesWithDaemon))('the sample of %s does what it says', async (name, sample) => {
    const folder = join(place, name)
    await install(registry, folder, ['@p2pl/core', `@p2pl/${name}`])
    const env = { ...registry.env, KUBO_BINARY: daemon }
    expectPrinted(await runSample(folder, process.execPath, sample, env), sample)
  })
})
