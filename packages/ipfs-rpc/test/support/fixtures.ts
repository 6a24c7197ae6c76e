import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConformanceFixture } from '@p2pl/conformance'
import { type Backend, isP2plError, type Layer } from '@p2pl/core/backend'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { startProxy } from '@p2pl/tooling-kubo/proxy'
import { until } from '@p2pl/tooling-vitest'
import { ipfsRpc, type IpfsRpcBackend } from '../../src/index.ts'
import { daemonOf, link } from './daemon.ts'

/** Three daemons start within it, also on a busy machine. */
const patience = 60_000

/** Connects each with each. */
async function linkAll(backends: readonly Backend[]): Promise<void> {
  for (const [i, one] of backends.entries()) for (const other of backends.slice(i + 1)) await link(one, other)
}

/** Daemons that somebody else runs, each behind a proxy that can lose its connections. */
export function externalFixture(binary: string, wrap?: Layer): ConformanceFixture {
  return {
    name: 'external daemon',
    wrap,
    capabilities: ipfsRpc().capabilities,
    followsHints: true,
    patience,
    create: async (count) => {
      const daemons = await Promise.all(
        Array.from(
          { length: count },
          async () => await startTestDaemon({ binary, config: { Provide: { Strategy: 'mfs' } } })
        )
      )
      const proxies = await Promise.all(daemons.map(async (daemon) => await startProxy(daemon.url)))
      // A new repo pins the empty folder, which the kit did not.
      for (const daemon of daemons) await daemon.ipfs('pin', 'rm', 'QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn')
      const make = (index: number): Backend => {
        const [daemon, proxy] = [daemons[index], proxies[index]]
        if (daemon === undefined || proxy === undefined) throw new Error(`there is no daemon ${index}`)
        return withDaemon(ipfsRpc({ url: proxy.url, probeInterval: 500 }), daemon)
      }
      const backends = daemons.map((_, index) => make(index))
      return {
        backends,
        link: async () => await linkAll(backends),
        reopen: async (index) => make(index),
        cut: async (index) => {
          proxies[index]?.stall()
          return async () => proxies[index]?.heal()
        },
        obstruct: async (index) => {
          proxies[index]?.refuse()
          return async () => proxies[index]?.heal()
        },
        dispose: async () => {
          await Promise.all(proxies.map(async (proxy) => await proxy.close()))
          await Promise.all(daemons.map(async (daemon) => await daemon.stop()))
        }
      }
    }
  }
}

/** The kit expects a peer that was stopped to be out of reach, so the daemon goes down and comes up with its backend. */
function withDaemon(backend: IpfsRpcBackend, daemon: TestDaemon): Backend {
  let order: Promise<unknown> = Promise.resolve()
  const next = async (step: () => Promise<void>): Promise<void> => {
    const done = order.then(step)
    order = done.catch(() => {})
    await done
  }
  const start: Backend['start'] = async (options) => {
    await next(async () => {
      if (!daemon.running) await daemon.restart()
    })
    await backend.start(options)
  }
  const stop: Backend['stop'] = async (options) => {
    await backend.stop(options)
    await next(async () => await daemon.kill())
  }
  return new Proxy(backend, {
    get: (target, key) => (key === 'start' ? start : key === 'stop' ? stop : Reflect.get(target, key))
  })
}

/** Daemons that the backends start themselves. */
export function managedFixture(binary: string, wrap?: Layer): ConformanceFixture {
  return {
    name: 'managed daemon',
    wrap,
    capabilities: ipfsRpc({ daemon: { repo: 'unused' } }).capabilities,
    followsHints: true,
    patience,
    create: async (count) => {
      const folder = mkdtempSync(join(tmpdir(), 'p2pl-managed-'))
      const repos = Array.from({ length: count }, (_, index) => join(folder, String(index)))
      const make = (repo: string): IpfsRpcBackend => ipfsRpc({ daemon: { repo, binary }, probeInterval: 500 })
      const backends = repos.map(make)
      return {
        backends,
        link: async () => await linkAll(backends),
        reopen: async (index) => make(String(repos[index])),
        cut: async (index) => {
          process.kill(daemonOf(String(repos[index])), 'SIGKILL')
          // The backend brings its daemon back by itself, while it runs.
          return async () => {
            await until('the daemon is back', async () => {
              const answer = backends[index]?.routing?.connections()
              return await Promise.resolve(answer).then(
                () => true,
                (error: unknown) => isP2plError(error, 'NOT_RUNNING')
              )
            })
          }
        },
        dispose: async () => {
          rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
        }
      }
    }
  }
}
