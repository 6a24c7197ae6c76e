import { P2plError, throwIfAborted, type BackendEvent, type MessageTransport } from '@p2pl/core/backend'
import { type FakeBackend } from '../../src/fake/index.ts'
import { peerInfo } from '../../src/fake/peer-info.ts'
import { changed, deaf, failure, fired, inBlocks, inMessages, inNode, messagesOf, runs, type Mutant } from './mutant.ts'

const soon = async (): Promise<void> => await new Promise((resolve) => setTimeout(resolve, 2))
const engineError = (): P2plError =>
  new P2plError({ code: 'ENGINE', backend: 'fake', operation: 'start', message: 'the engine is running already' })

export const lifecycleMutants: readonly Mutant[] = [
  inBlocks('has answers before start', /before start every call/, (blocks, node) => ({
    has: async (cid, options) => (!runs(node) ? false : await blocks.has(cid, options))
  })),
  inNode('self answers before start', /before start every call/, (node) => ({
    self: () => (!runs(node) ? [peerInfo(node.store.id)] : node.self())
  })),
  inMessages('publish is swallowed after stop', /stop every call/, (messages, node) => ({
    publish: async (...args) => (!runs(node) ? { recipients: 0 } : await messages.publish(...args))
  })),
  inNode('calls are answered while stop is under way', /after stop every call/, (node) => ({
    stop: async () => {
      await soon()
      await node.stop()
    }
  })),
  inNode('a second start fails', /start is idempotent/, (node) => ({
    start: async (options) => {
      if (runs(node)) throw engineError()
      await node.start(options)
    }
  })),
  inNode('a second concurrent start resolves before the first', /start is idempotent/, (node) => {
    let starting = false
    return {
      start: async (options) => {
        if (starting) return
        starting = true
        await soon()
        starting = false
        await node.start(options)
      }
    }
  }),
  inNode('starts are counted: each needs its own stop', /start is idempotent/, (node) => {
    let starts = 0
    return {
      start: async (options) => {
        await node.start(options)
        starts++
      },
      stop: async () => {
        if (--starts <= 0) await node.stop()
      }
    }
  }),
  inNode('stop before start fails', /stop is idempotent/, (node) => ({
    stop: async () => {
      if (!runs(node)) throw engineError()
      await node.stop()
    }
  })),
  inNode('it cannot be started again', /started again after stop/, (node) => {
    let stopped = false
    return {
      start: async (options) => {
        if (stopped) throw engineError()
        await node.start(options)
      },
      stop: async () => {
        stopped = runs(node)
        await node.stop()
      }
    }
  }),
  inNode('content is lost by a restart', /started again after stop/, (node) => ({
    stop: async () => {
      await node.stop()
      node.store.blocks.clear()
    }
  })),
  inNode('the id changes with a restart', /started again after stop/, (node) => {
    let starts = 0
    return {
      start: async (options) => {
        if (!runs(node)) starts++
        await node.start(options)
      },
      self: () => node.self().map((peer) => ({ ...peer, id: `${peer.id}-${starts}` }))
    }
  }),
  inNode('start takes no notice of its signal', /start whose signal has fired/, (node) => ({
    start: async (options) => await node.start({ onEvent: options?.onEvent })
  })),
  inNode('an aborted start leaves it running', /start whose signal has fired/, (node) => ({
    start: async (options) => {
      await node.start({ onEvent: options?.onEvent })
      throwIfAborted('start', options?.signal, 'fake')
    }
  })),
  inNode('an aborted start ends every start', /leaves another call of start alone/, (node) => ({
    start: async (options) => {
      if (options?.signal !== undefined && !fired(options))
        options.signal.addEventListener('abort', () => void node.stop(), { once: true })
      await node.start(options)
    }
  })),
  inNode('a stop whose signal has fired does not stop', /a stop whose signal fires/, (node) => ({
    stop: async (options) => {
      if (fired(options)) throw failure('ABORTED', 'stop', 'aborted')
      await node.stop()
    }
  })),
  inNode('stop takes no notice of its signal', /a stop whose signal fires/, (node) => ({
    stop: async (options) => {
      await node.stop()
      if (options?.signal !== undefined) await new Promise<never>(() => undefined)
    }
  })),
  inNode('the engine is handed out after stop', /the engine is handed out/, (node) => {
    let engine: FakeBackend['engine']
    return {
      stop: async (options) => {
        engine = node.engine
        await node.stop(options)
      },
      get engine() {
        return node.engine ?? engine
      }
    }
  }),
  inNode('a failed start leaves it running', /a failed start leaves/, (node) => ({
    start: async (options) => {
      try {
        await node.start(options)
      } catch (error) {
        if (node.network.obstructed.delete(node.store.id)) await node.start(options)
        throw error
      }
    }
  })),
  inNode('a failed start cannot be tried again', /a failed start leaves/, (node) => {
    let failed: unknown
    return {
      start: async (options) => {
        if (failed !== undefined) throw failed
        try {
          await node.start(options)
        } catch (error) {
          if (node.network.obstructed.has(node.store.id)) failed = error
          throw error
        }
      }
    }
  }),
  inBlocks('a get stays pending over stop', /stop leaves no call pending/, (blocks, node) => ({
    get: async (cid, options) => {
      if (runs(node) && options?.signal === undefined && options?.local !== true)
        return await new Promise<never>(() => undefined)
      return await blocks.get(cid, options)
    }
  })),
  inNode('subscribers survive a restart', /subscriptions end with stop/, (node) => {
    const all: Parameters<MessageTransport['subscribe']>[] = []
    return {
      start: async (options) => {
        const restarted = !runs(node)
        await node.start(options)
        if (restarted) for (const args of all) await messagesOf(node).subscribe(...args)
      },
      messages: changed(messagesOf(node), {
        subscribe: async (...args) => {
          const subscription = await messagesOf(node).subscribe(...args)
          all.push(args)
          return subscription
        }
      })
    }
  }),
  inNode('events come after stop', /events are well-formed/, (node) => {
    let report: ((event: BackendEvent) => void) | undefined
    return {
      start: async (options) => {
        report = options?.onEvent
        await node.start(options)
      },
      stop: async () => {
        await node.stop()
        setTimeout(() => report?.({ type: 'warning', backend: 'fake', message: 'still here' }), 0)
      }
    }
  }),
  inNode('events name another backend', /events are well-formed/, (node) => ({
    start: async (options) =>
      await node.start({ ...options, onEvent: (event) => options?.onEvent?.({ ...event, backend: 'engine' }) })
  })),
  inNode('events have types of the engine', /events are well-formed/, (node) => ({
    start: async (options) =>
      await node.start({
        ...options,
        onEvent: (event) => options?.onEvent?.({ ...event, type: 'peer:identify' } as unknown as BackendEvent)
      })
  })),
  inNode('self names no network', /self\(\) gives an id/, () => ({ self: () => [] })),
  inNode('every peer has a network of its own', /self\(\) gives an id/, (node) => ({
    self: () => node.self().map((peer) => ({ ...peer, network: peer.id }))
  })),
  inNode('it has more addresses than anybody takes', /self\(\) gives an id/, (node) => ({
    self: () => node.self().map((peer) => ({ ...peer, addresses: Array.from({ length: 17 }, (_, i) => `fake:${i}`) }))
  })),
  inNode('all peers have one id', /self\(\) gives an id/, () => ({
    self: () => [{ ...peerInfo('me') }]
  })),
  inNode('a restarted peer is deaf', /restarted peer takes part again/, (node) => {
    let starts = 0
    return {
      start: async (options) => {
        if (!runs(node)) starts++
        await node.start(options)
      },
      messages: changed(messagesOf(node), {
        subscribe: async (topic, subscriber, options) =>
          await messagesOf(node).subscribe(topic, starts < 2 ? subscriber : deaf, options)
      })
    }
  })
]

export const endMutants: readonly Mutant[] = [
  inNode('stop never ends while a subscription is open', /stop|end/, (node) => {
    let open = 0
    return {
      messages: {
        publish: async (...args) => await messagesOf(node).publish(...args),
        peers: async (...args) => await messagesOf(node).peers(...args),
        subscribe: async (...args) => {
          const subscription = await messagesOf(node).subscribe(...args)
          open++
          return {
            close: async () => {
              open--
              await subscription.close()
            }
          }
        }
      },
      stop: async () => {
        if (open > 0) await new Promise<never>(() => undefined)
        await node.stop()
      }
    }
  })
]
