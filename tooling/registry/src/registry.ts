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
   * With it, `npm`, `npx`, `pnpm` and `yarn` in a child process use this registry and nothing of the workspace. `node`
   * is the one of this process.
   */
  readonly env: NodeJS.ProcessEnv
  /** The folder of our published packages. */
  readonly published: string
  stop(): Promise<void>
}

/**
 * Starts a registry in a temporary folder, with a copy of the packages in the folder `packages`. All other packages
 * come from the registry that npm is configured for, and are cached.
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
  const configured = async (key: string): Promise<string> =>
    (await run('npm', ['config', 'get', key], { cwd: place })).trim()
  writeFileSync(join(place, 'config.yaml'), JSON.stringify(configuration(await configured('registry'))))
  const npmCache = await configured('cache')

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
    env: environment(place, url, npmCache),
    stop: async () => {
      child.kill('SIGKILL')
      await ended
      rmSync(place, { recursive: true, force: true, maxRetries: 3 })
    }
  }
}

/** The configuration of Verdaccio. Anybody may publish, because it listens only on loopback and ends with the test. */
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

/** `npmCache`: that of the user, where `npx` finds pnpm. */
function environment(place: string, url: string, npmCache: string): NodeJS.ProcessEnv {
  const bin = join(place, 'bin')
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  const script = (name: string, command: string): void =>
    writeFileSync(join(bin, name), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 })
  script('pnpm', `env NPM_CONFIG_CACHE='${npmCache}' npx --yes ${pnpm}`)
  script('yarn', `node '${programFile('@yarnpkg/cli-dist/bin/yarn.js')}'`)

  const userconfig = join(place, 'npmrc')
  const host = new URL(url).host
  // npm refuses to publish without a token. This registry accepts any.
  writeFileSync(
    userconfig,
    `registry=${url}\n//${host}/:_authToken=any\nupdate-notifier=false\nfund=false\naudit=false\n`
  )
  const env = plainEnvironment()
  return {
    ...env,
    PATH: `${bin}:${env['PATH'] ?? ''}`,
    NPM_CONFIG_USERCONFIG: userconfig,
    // Earlier runs had other packages with the same versions. `npx` keeps installed packages by name, and pnpm keeps
    // metadata by the address of the registry, whose port may come again.
    NPM_CONFIG_CACHE: join(place, 'npm'),
    PNPM_CONFIG_CACHE_DIR: join(place, 'pnpm'),
    // The tests use packages that were published a second ago.
    PNPM_CONFIG_MINIMUM_RELEASE_AGE: '0',
    YARN_NPM_MINIMAL_AGE_GATE: '0',
    // It caches what it knows about packages by host, without the port.
    YARN_GLOBAL_FOLDER: join(place, 'yarn'),
    YARN_NPM_REGISTRY_SERVER: url,
    YARN_UNSAFE_HTTP_WHITELIST: '127.0.0.1',
    YARN_ENABLE_TELEMETRY: '0'
  }
}
