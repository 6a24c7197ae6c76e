import { temporaryFolder } from '@p2pl/tooling-vitest'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { install, release, run } from '../src/index.ts'
import { testRegistry } from '../src/test.ts'

const place = temporaryFolder()
const author = join(place, 'my-net')
const user = join(place, 'user')
const registry = testRegistry()
let upgrading = ''

const npm = async (cwd: string, ...args: string[]): Promise<string> =>
  await run('npm', args, { cwd, env: registry.env })

function edit(file: string, ...changes: readonly (readonly [from: string, to: string])[]): void {
  let text = readFileSync(file, 'utf8')
  for (const [from, to] of changes) {
    if (!text.includes(from)) throw new Error(`${file} has no "${from}"`)
    text = text.replaceAll(from, to)
  }
  writeFileSync(file, text)
}

/** Renames a hook of the port. */
async function breakThePort(tree: string): Promise<void> {
  const core = join(tree, 'packages/core/src')
  edit(join(core, 'port/version.ts'), ['portVersion = 1', 'portVersion = 2'])
  edit(join(core, 'port/definition.ts'), ['  self(): ', '  own(): '])
  edit(join(core, 'define/define-backend.ts'), ['engine.self()', 'engine.own()'])
  edit(join(core, 'define/split.ts'), ['{ self: () => messages', '{ own: () => messages'])
  writeFileSync(
    join(tree, '.changeset/break.md'),
    "---\n'@p2pl/core': minor\n---\n\nFor adapter authors: the hook `self` is called `own`.\n"
  )
  const heading = '## For adapter and layer authors (`@p2pl/core/backend`)'
  edit(join(tree, 'UPGRADING.md'), [
    '### To 0.1\n\n| was | is |\n|---|---|\n| a class',
    '### To 0.2\n\n| was | is |\n|---|---|\n| `self: () =>` | `own: () =>` |\n\n### To 0.1\n\n| was | is |\n|---|---|\n| a class'
  ])
  const page = readFileSync(join(tree, 'UPGRADING.md'), 'utf8')
  upgrading = page.slice(page.indexOf(heading))
  await run('pnpm', ['run', 'build'], {
    cwd: join(tree, 'packages/core'),
    env: { ...registry.env, PNPM_CONFIG_VERIFY_DEPS_BEFORE_RUN: 'false' }
  })
}

const app = `import { createPeer } from '@p2pl/core'
import { backend } from '@example/my-net'

const peer = await createPeer({ backend: backend() })
const { cid } = await peer.data.add('hello')
console.log(new TextDecoder().decode(await peer.data.bytes(cid)))
await peer.stop()
`

describe('a breaking change of the port', { timeout: 300_000 }, () => {
  it('an adapter of another author is on the registry, and an app uses it', async () => {
    await npm(place, 'create', '--yes', '@p2pl/adapter', '@example/my-net')
    await npm(author, 'install')
    await npm(author, 'publish', '--access', 'public')
    await install(registry, user, ['@p2pl/core', '@example/my-net'])
    writeFileSync(join(user, 'app.js'), app)
    expect(await run('node', ['app.js'], { cwd: user, env: registry.env })).toBe('hello\n')
  })

  it('after it, the app is told which package has to follow', async () => {
    await release(registry, breakThePort)
    // The app's locked versions keep working.
    await npm(user, 'ci')
    expect(await run('node', ['app.js'], { cwd: user, env: registry.env })).toBe('hello\n')
    await npm(user, 'install', '@p2pl/core@latest')
    await expect(run('node', ['app.js'], { cwd: user, env: registry.env })).rejects.toThrow(
      'createPeer: the backend "my-net" was made for version 1 of the port, and this @p2pl/core has version 2: install a newer release of its adapter'
    )
  })

  it('UPGRADING mends the adapter, and the app goes on', async () => {
    const commands = [...upgrading.matchAll(/^```sh\n(.*?)^```/gms)].flatMap(([, block = '']) =>
      block.trim().split('\n')
    )
    expect(commands.length).toBeGreaterThan(1)
    for (const command of commands) await run('sh', ['-c', command], { cwd: author, env: registry.env })
    await expect(npm(author, 'run', 'typecheck')).rejects.toThrow("Property 'own' is missing")

    const [, rows = ''] = /^### To 0\.2\n(.*?)^###/ms.exec(upgrading) ?? []
    const changes = [...rows.matchAll(/^\| `(.+)` \| `(.+)` \|$/gm)].map(([, was = '', is = '']) => [was, is] as const)
    expect(changes).toHaveLength(1)
    for (const file of readdirSync(join(author, 'src')))
      if (
        file.endsWith('.ts') &&
        changes.some(([was]) => readFileSync(join(author, 'src', file), 'utf8').includes(was))
      )
        edit(join(author, 'src', file), ...changes)

    await npm(author, 'run', 'typecheck')
    expect(await npm(author, 'test')).toMatch(/(?:#|ℹ) fail 0/)
    await npm(author, 'version', 'minor', '--no-git-tag-version')
    await npm(author, 'publish', '--access', 'public')
    await npm(user, 'install', '@example/my-net@latest')
    expect(await run('node', ['app.js'], { cwd: user, env: registry.env })).toBe('hello\n')
  })
})
