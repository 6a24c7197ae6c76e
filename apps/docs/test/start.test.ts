import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { mkdirSync, readFileSync } from 'node:fs'
import { run } from '@p2pl/tooling-registry'
import { testRegistry } from '@p2pl/tooling-registry/test'
import { temporaryFolder } from '@p2pl/tooling-vitest'
import { describeInChromium } from '@p2pl/tooling-vitest/browser'
import { expect, it } from 'vitest'
import { follow } from './follow.ts'
import { sectionsOf } from './guide.ts'

const sections = sectionsOf(fileURLToPath(new URL('../pages/guide/start.md', import.meta.url)))
const place = temporaryFolder()
const registry = testRegistry()

describeInChromium('the guide of five minutes, followed word by word', () => {
  it('has its three programs', () => {
    expect(sections.map(({ title }) => title)).toEqual(['Two terminals that chat', 'A page', 'A folder'])
    for (const { steps } of sections) expect(steps.length).toBeGreaterThan(5)
  })

  it.each(sections.map((section, i) => [section.title, section, i] as const))(
    '%s, in an empty folder with packages from a registry',
    { timeout: 300_000 },
    async (_, section, i) => await follow(section, join(place, String(i)), registry.env)
  )
})

it('the doctor runs as the page says, and names what is wrong in an empty folder', { timeout: 300_000 }, async () => {
  const command = readFileSync(new URL('../samples/doctor.sh', import.meta.url), 'utf8')
  const cwd = join(place, 'patient')
  mkdirSync(cwd)
  const env = { ...registry.env, P2PL_DIR: join(cwd, 'p2pl') }
  // A machine without other peers has a fault, so the command may end with 1.
  const said = await run('bash', ['-c', command], { cwd, env }).catch(String)
  expect(said).toMatch(/runtime/i)
  expect(said).toMatch(/peers/i)
})
