import { rmSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConformanceFixture } from '@p2pl/conformance'
import type { Backend, Layer } from '@p2pl/core/backend'
import { startTestDaemon, type TestDaemon } from '@p2pl/tooling-kubo'
import { ipfsRpc, type IpfsRpcBackend } from '../../src/index.ts'
import { daemonOf } from './daemon.ts'
import { startProxy } from '@p2pl/tooling-kubo/proxy'

/** Connects each with each. */
export async function linkAll(backends: readonly Backend[]): Promise<void> {
  for (const [i, one] of backends.entries())
    for (const other of backends.slice(i + 1)) await one.routing?.connect(other.self())
}

/** Daemons that somebody else runs, each behind a proxy that can lose its connections. */
export function externalFixture(binary: string, wrap?: Layer): ConformanceFixture {
  return {
    name: 'external daemon',
    wrap,
    create: async (count) => {
      const daemons = await Promise.all(
        Array.from(
          { length: count },
          async () => await startTestDaemon({ binary, config: { Provide: { Strategy: 'mfs' } } })
        )
      )
      const proxies = await Promise.all(daemons.map(async (daemon) => await startProxy(daemon.url)))
      // A new repo pins the empty folder, which the kit did not.
      for (const daemon of daemons)
        await fetch(`${daemon.url}/api/v0/pin/rm?arg=QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn`, {
          method: 'POST'
        })
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
        interrupt: async (index) => {
          proxies[index]?.drop()
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

/**
 * A participant is the backend with its daemon: the kit expects one that was stopped to be out of reach, so the daemon
 * goes down and comes up with it.
 */
function withDaemon(backend: IpfsRpcBackend, daemon: TestDaemon): Backend {
  let order: Promise<unknown> = Promise.resolve()
  const next = async (step: () => Promise<void>): Promise<void> => {
    const done = order.then(step)
    order = done.catch(() => {})
    await done
  }
  return {
    name: backend.name,
    capabilities: backend.capabilities,
    messages: backend.messages,
    blocks: backend.blocks,
    routing: backend.routing,
    self: () => backend.self(),
    start: async (options) => {
      await next(async () => {
        if (!daemon.running) await daemon.restart()
      })
      await backend.start(options)
    },
    stop: async (options) => {
      await backend.stop(options)
      await next(async () => await daemon.kill())
    }
  }
}

/** Daemons that the backends start themselves. */
export function managedFixture(binary: string, wrap?: Layer): ConformanceFixture {
  return {
    name: 'managed daemon',
    wrap,
    create: async (count) => {
      const folder = mkdtempSync(join(tmpdir(), 'p2pl-managed-'))
      const make = (index: number): IpfsRpcBackend =>
        ipfsRpc({ daemon: { repo: join(folder, String(index)), binary }, probeInterval: 500 })
      const backends = Array.from({ length: count }, (_, index) => make(index))
      return {
        backends,
        link: async () => await linkAll(backends),
        reopen: async (index) => make(index),
        interrupt: async (index) => {
          // The backend brings it back.
          process.kill(daemonOf(join(folder, String(index))), 'SIGKILL')
        },
        dispose: async () => {
          rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
        }
      }
    }
  }
}
