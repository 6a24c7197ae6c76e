import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { exitCodes } from '@p2pl/cli/tools'
import { temporaryFolder, until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { runCommandLine } from '../src/cli/program.ts'
import type { Home } from '../src/node/home.ts'
import { runNode } from '../src/run/run-node.ts'
import { verifyCar } from '../src/node/verify.ts'
import { accountIds, makeHomes } from './support.ts'

const folder = temporaryFolder()
const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')

it('runs the curl examples of the README', async () => {
  const script = /```bash\n(API=[^`]+)```/.exec(readme)?.[1] ?? ''
  expect(script.match(/curl/g)?.length).toBeGreaterThan(6)
  const [home] = (await makeHomes(folder, ['node'])) as [Home]
  const [account = ''] = await accountIds(1)
  const running = await runNode(home, { backend: 'memory', env: {} })
  try {
    const PATH = `${dirname(process.execPath)}:${process.env['PATH'] ?? ''}`
    const env = { PATH, DIR: home.path, ACCOUNT: account }
    // The last command listens for a second. Here it listens until it has received the event, and ends with the node.
    const patient = script.replace('--max-time 1 ', '')
    expect(patient).not.toBe(script)
    const script_ = promisify(execFile)('bash', ['-euo', 'pipefail', '-c', patient], { env })
    let heard = ''
    script_.child.stdout?.on('data', (data: string) => (heard += data))
    await Promise.race([script_, until('an event', () => heard.includes('event: digest'))])
    const { root } = await running.node.status()
    await running.stop()
    const { stdout } = await script_
    expect(stdout).toContain('for the drill')
    expect(stdout).toContain('note.txt')
    expect(stdout).toContain('event: digest')
    const car = await readFile(`${home.path}/ledger.car`)
    const found = await verifyCar(one(car))
    expect(found).toMatchObject({ entries: 2, root })
  } finally {
    await running.stop()
  }
})

it('documents every exit code and every command', async () => {
  const rows = readme.slice(readme.indexOf('| exit code |'))
  for (const code of Object.values(exitCodes)) expect(rows).toContain(`\n| ${code} | `)
  expect(await runCommandLine(['nonsense'], AbortSignal.abort())).toBe(exitCodes.usage)
  const program = await readFile(new URL('../src/cli/program.ts', import.meta.url), 'utf8')
  const commands = [...program.matchAll(/\.command\('([a-z]+)'\)/g)].map(([, name]) => name)
  expect(commands).toHaveLength(11)
  for (const command of commands) expect(readme).toContain(`\`${command}`)
  const files = ['ledger-routes.ts', 'node-routes.ts'].map((name) => new URL(`../src/http/${name}`, import.meta.url))
  const routes = (await Promise.all(files.map(async (file) => await readFile(file, 'utf8')))).join('\n')
  const paths = [...routes.matchAll(/(?:get|post)\(\/\^((?:\\\/[a-z0-9]+)+)/g)].map(([, path = '']) =>
    path.replaceAll('\\', '')
  )
  expect(paths.length).toBeGreaterThan(10)
  for (const path of paths) expect(readme).toContain(path)
})

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
