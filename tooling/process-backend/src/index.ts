import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { P2plError, type Backend, type PeerInfo, type Subscriber } from '@p2pl/core/backend'
import type { Callable } from './codec.ts'
import { Endpoint } from './endpoint.ts'

/** Where the child gets its backend from. */
export interface BackendSource {
  /** A module, such as `import.meta.resolve` gives. */
  readonly module: string
  /** The function that it exports; its result is the backend. */
  readonly name: string
  /** Copied into the child. */
  readonly args: readonly unknown[]
  /** What the backend is called and declares, which a caller may ask before there is a child. */
  readonly of: Pick<Backend, 'name' | 'capabilities'>
  /** Methods of the backend beyond the port. */
  readonly methods?: readonly string[]
}

/** A backend in a process of its own. */
export type RemoteBackend = Backend & Record<string, Callable>

/** Processes that are used again and again: each holds one backend at a time. */
export class ProcessPool {
  readonly #all = new Set<Child>()
  readonly #free: Child[] = []
  readonly #taken = new Map<RemoteBackend, Child>()
  readonly #cache = mkdtempSync(join(tmpdir(), 'p2pl-processes-'))

  /**
   * Starts so many processes, and loads the module into each: tests that give a backend some time to start do not mean that of
   * a process. The first one compiles for the others.
   */
  async warm(count: number, module: string): Promise<void> {
    const start = async (): Promise<void> => {
      const child = this.#start()
      await child.load(module)
      this.#free.push(child)
    }
    await start()
    await Promise.all(Array.from({ length: count - 1 }, start))
  }

  /** A backend, not started, in a process that holds no other one. */
  take(source: BackendSource): RemoteBackend {
    const child = this.#free.pop() ?? this.#start()
    const backend = remoteBackend(child, source)
    this.#taken.set(backend, child)
    return backend
  }

  /** Its process may hold another one from here on. It must be stopped. */
  release(backend: RemoteBackend): void {
    const child = this.#taken.get(backend)
    if (child !== undefined) this.#free.push(child)
    this.#taken.delete(backend)
  }

  pidOf(backend: RemoteBackend): number | undefined {
    return this.#taken.get(backend)?.pid
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all].map((child) => child.close()))
    this.#all.clear()
    rmSync(this.#cache, { recursive: true, force: true })
  }

  #start(): Child {
    const child = new Child(this.#cache)
    this.#all.add(child)
    return child
  }
}

class Child {
  readonly #process: ChildProcess
  readonly #endpoint: Endpoint
  #closing = false

  constructor(compileCache: string) {
    const child = fork(fileURLToPath(new URL('./child-main.ts', import.meta.url)), [], {
      execArgv: ['-C', '@p2pl/source'],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
    this.#process = child
    this.#endpoint = new Endpoint({
      send: (message) => {
        if (child.connected) child.send(message as object, () => {})
        else this.#endpoint.fail(new Error('the process of the backend has ended'))
      }
    })
    child.on('message', (message) => this.#endpoint.receive(message))
    child.on('exit', (code, signal) => {
      const error = new Error(`the process of a backend ended by itself (${signal ?? code})`)
      this.#endpoint.fail(error)
      // A crash is seen by whoever looks for unhandled rejections, even when nobody waits for an answer.
      if (!this.#closing) void Promise.reject(error)
    })
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  async load(module: string): Promise<void> {
    await this.#endpoint.root('load', module)
  }

  async make({ module, name, args }: BackendSource): Promise<void> {
    await this.#endpoint.root('make', module, name, args)
  }

  async call(part: string, method: string, args: readonly unknown[]): Promise<unknown> {
    return await this.#endpoint.root('call', [part, method], args)
  }

  async close(): Promise<void> {
    this.#closing = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exited = once(this.#process, 'exit')
    this.#process.disconnect()
    await exited
  }
}

type Call = (part: string, method: string, args: readonly unknown[]) => Promise<unknown>

function remoteBackend(child: Child, source: BackendSource): RemoteBackend {
  const { name, capabilities } = source.of
  let made: Promise<void> | undefined
  let self: PeerInfo | undefined
  const call: Call = async (part, method, args) => {
    made ??= child.make(source)
    await made
    return await child.call(part, method, args)
  }
  const own = Object.fromEntries(
    (source.methods ?? []).map((method) => [method, (...args: readonly unknown[]) => call('', method, args)])
  )
  const backend = {
    ...own,
    name,
    capabilities,
    start: async (...args: readonly unknown[]): Promise<void> => {
      await call('', 'start', args)
      self = (await call('', 'self', [])) as PeerInfo
    },
    stop: async (...args: readonly unknown[]): Promise<void> => {
      await call('', 'stop', args)
      self = undefined
    },
    self: (): PeerInfo => {
      if (self !== undefined) return self
      throw new P2plError({
        code: 'NOT_RUNNING',
        operation: 'self',
        backend: name,
        message: `self needs a started backend: call start() first`
      })
    },
    messages: capabilities.messages === undefined ? undefined : messagesOf(call),
    blocks: partOf(call, 'blocks', capabilities.blocks, ['pins', 'gc', 'getDag'], {
      get: 1,
      put: 1,
      putMany: 1,
      has: 1,
      delete: 1,
      pin: 1,
      unpin: 1
    }),
    routing: partOf(call, 'routing', capabilities.routing, ['findProviders'], {
      provide: 1,
      unprovide: 1,
      findPeer: 1,
      connect: 1,
      disconnect: 1,
      connections: 1
    })
  }
  return backend as unknown as RemoteBackend
}

function partOf(
  call: Call,
  part: string,
  declared: object | undefined,
  iterables: readonly string[],
  methods: Readonly<Record<string, 1>>
): Record<string, Callable> | undefined {
  if (declared === undefined) return undefined
  const made: Record<string, Callable> = {}
  for (const method of Object.keys(methods)) made[method] = (...args) => call(part, method, args)
  for (const method of iterables) made[method] = (...args) => iterate(call, part, method, args)
  return made
}

async function* iterate(
  call: Call,
  part: string,
  method: string,
  args: readonly unknown[]
): AsyncGenerator<unknown, void, undefined> {
  yield* (await call(part, method, args)) as AsyncIterable<unknown>
}

/** What is on its way when a subscription is closed is not delivered any more. */
function messagesOf(call: Call): Record<string, Callable> {
  return {
    publish: (...args) => call('messages', 'publish', args),
    peers: (...args) => call('messages', 'peers', args),
    subscribe: async (topic, subscriber, ...rest) => {
      let open = true
      const own = subscriber as Subscriber
      const guarded: Subscriber = {
        message: (each) => {
          if (open) own.message(each)
        },
        gap: (each) => {
          if (open) own.gap(each)
        },
        ...(own.validate !== undefined && {
          validate: (each) => (open ? (own.validate?.(each) ?? 'accept') : 'ignore')
        })
      }
      const { close } = (await call('messages', 'subscribe', [topic, guarded, ...rest])) as { close: Callable }
      return {
        close: async () => {
          open = false
          await close()
        }
      }
    }
  }
}
