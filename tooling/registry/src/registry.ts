import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { installPrograms, programFile } from './programs.ts'
import { plainEnvironment, run } from './run.ts'
import { cache, pnpm } from './tree.ts'

/** A real npm registry on loopback. */
export interface Registry {
  readonly url: string
  /**
   * With it, `npm`, `npx`, `pnpm` and `yarn` of a child process use this registry and nothing of the workspace. `node` is the
   * one that runs this.
   */
  readonly env: NodeJS.ProcessEnv
  /** Where the packages of ours are kept that were published. */
  readonly published: string
  stop(): Promise<void>
}

/**
 * Starts a registry in a temporary folder, with a copy of the packages in the folder `packages`. Whatever is not of ours comes
 * from the registry that npm is configured for, and is kept for the next time.
 */
export async function startRegistry(packages?: string): Promise<Registry> {
  await installPrograms()
  const place = mkdtempSync(join(tmpdir(), 'p2pl-registry-'))
  const published = join(place, 'storage', 'ours')
  mkdirSync(join(place, 'storage'))
  if (packages === undefined) mkdirSync(published)
  else cpSync(packages, published, { recursive: true })
  mkdirSync(join(cache, 'others'), { recursive: true })
  symlinkSync(join(cache, 'others'), join(place, 'storage', 'others'), 'dir')
  const upstream = (await run('npm', ['config', 'get', 'registry'], { cwd: place })).trim()
  writeFileSync(join(place, 'config.yaml'), JSON.stringify(configuration(upstream)))

  const child = fork(fileURLToPath(new URL('server.main.ts', import.meta.url)), [join(place, 'config.yaml')], {
    cwd: place,
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc']
  })
  const ended = once(child, 'exit')
  const port = await Promise.race([
    once(child, 'message').then(([message]) => message as number),
    ended.then(() => {
      throw new Error(`the registry has ended:\n${readFileSync(join(place, 'log'), 'utf8')}`)
    })
  ])
  const url = `http://127.0.0.1:${port}/`
  return {
    url,
    published,
    env: environment(place, url),
    stop: async () => {
      child.kill('SIGKILL')
      await ended
      rmSync(place, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

/** For Verdaccio. Anybody may publish: it listens on loopback only, and ends with the test. */
function configuration(upstream: string): object {
  return {
    storage: './storage',
    auth: { htpasswd: { file: './htpasswd' } },
    uplinks: { upstream: { url: upstream, maxage: '1d', max_fails: 10, timeout: '60s' } },
    packages: {
      '@p2pl/*': { access: '$all', publish: '$all', storage: 'ours' },
      // Packages of other authors, in a test.
      '@example/*': { access: '$all', publish: '$all', storage: 'ours' },
      '**': { access: '$all', proxy: 'upstream', storage: 'others' }
    },
    max_body_size: '50mb',
    web: { enable: false },
    log: { type: 'file', path: './log', level: 'warn' }
  }
}

function environment(place: string, url: string): NodeJS.ProcessEnv {
  const bin = join(place, 'bin')
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  const script = (name: string, command: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
  script('pnpm', `npx --yes ${pnpm}`)
  script('yarn', `node '${programFile('@yarnpkg/cli-dist/bin/yarn.js')}'`)

  const userconfig = join(place, 'npmrc')
  const host = new URL(url).host
  // npm refuses to publish without a token; this registry takes any.
  writeFileSync(
    userconfig,
    `registry=${url}\n//${host}/:_authToken=any\nupdate-notifier=false\nfund=false\naudit=false\n`
  )
  const env = plainEnvironment()
  return {
    ...env,
    PATH: `${bin}:${env['PATH'] ?? ''}`,
    NPM_CONFIG_USERCONFIG: userconfig,
    // A package that was published a second ago is what is tested here.
    PNPM_CONFIG_MINIMUM_RELEASE_AGE: '0',
    YARN_NPM_MINIMAL_AGE_GATE: '0',
    // It keeps what it knows of packages by host without the port.
    YARN_GLOBAL_FOLDER: join(place, 'yarn'),
    YARN_NPM_REGISTRY_SERVER: url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0'
  }
}
