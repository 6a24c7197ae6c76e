import { deaf, failure, fired, inBlocks, inMessages, inRouting, keyOf, runs, type Mutant } from './mutant.ts'

export const concurrencyMutants: readonly Mutant[] = [
  inBlocks('more than 100 gets at once are refused', /gets at once/, (blocks) => {
    let running = 0
    return {
      get: async (cid, options) => {
        if (++running > 100) {
          running--
          throw failure('OVERLOADED', 'blocks.get', 'too many')
        }
        try {
          return await blocks.get(cid, options)
        } finally {
          running--
        }
      }
    }
  }),
  inBlocks('gets at once are mixed up', /gets at once/, (blocks) => {
    let last: Promise<Uint8Array> | undefined
    return {
      get: async (cid, options) => {
        const before = last
        const own = blocks.get(cid, options)
        last = own
        own
          .catch(() => undefined)
          .finally(() => (last = undefined))
          .catch(() => undefined)
        return before === undefined ? await own : await before.catch(async () => await own)
      }
    }
  }),
  inBlocks('puts at once are lost', /200 puts at once/, (blocks) => {
    let running = 0
    return {
      putMany: async (many, options) => {
        if (running > 50 && options?.signal?.aborted === false) return
        running++
        try {
          await blocks.putMany(many, options)
        } finally {
          running--
        }
      }
    }
  }),
  inBlocks('only 32 blocks are fetched at once', /100 blocks are fetched/, (blocks, node) => {
    let running = 0
    return {
      get: async (cid, options) => {
        if (node.store.blocks.has(keyOf(cid)) || !runs(node) || fired(options) || options?.local === true)
          return await blocks.get(cid, options)
        if (++running > 32) {
          running--
          throw failure('OVERLOADED', 'blocks.get', 'too many')
        }
        try {
          return await blocks.get(cid, options)
        } finally {
          running--
        }
      }
    }
  }),
  inMessages('only 32 subscriptions work', /64 subscriptions at once/, (messages) => {
    let open = 0
    return {
      subscribe: async (topic, subscriber, options) => {
        const isDeaf = ++open > 32
        const subscription = await messages.subscribe(topic, isDeaf ? deaf : subscriber, options)
        let closed = false
        return {
          close: async () => {
            if (!closed) open--
            closed = true
            await subscription.close()
          }
        }
      }
    }
  }),
  inMessages('subscriptions made at once share their messages', /64 subscriptions at once/, (messages) => {
    const many: { topic: string; message: (message: never) => void }[] = []
    return {
      subscribe: async (topic, subscriber, options) => {
        if (!topic.startsWith('many-')) return await messages.subscribe(topic, subscriber, options)
        many.push({ topic, message: (message) => void subscriber.message(message) })
        return await messages.subscribe(
          topic,
          {
            gap: () => undefined,
            message: (message) => {
              for (const each of many) each.message(message as never)
              return 'accept'
            }
          },
          options
        )
      }
    }
  }),
  inMessages('publishes at once fail', /50 publishes at once/, (messages) => {
    let running = 0
    return {
      publish: async (topic, payload, options) => {
        if (running > 4) throw failure('OVERLOADED', 'messages.publish', 'validation ignored')
        running++
        try {
          return await messages.publish(topic, payload, options)
        } finally {
          running--
        }
      }
    }
  }),
  inMessages('publishes at once are lost', /50 publishes at once/, (messages) => {
    let running = 0
    return {
      publish: async (topic, payload, options) => {
        if (running > 4 && options?.signal?.aborted === false) return { recipients: 1 }
        running++
        try {
          return await messages.publish(topic, payload, options)
        } finally {
          running--
        }
      }
    }
  }),
  inRouting('searches at once share one result', /20 provides and searches/, (routing) => {
    let last: unknown
    return {
      findProviders: (cid, options) => {
        const first = last ?? cid
        last = first
        setTimeout(() => (last = undefined), 0)
        return routing.findProviders(first as typeof cid, options)
      }
    }
  })
]
