import { isP2plError, type Block } from '@p2pl/core/backend'
import { Channel } from '../kit/channel.ts'
import { check, equal, sameBytes } from '../kit/check.ts'
import { Inbox } from '../kit/inbox.ts'
import { blocksOf, idsOf, messagesOf, put, routingOf } from '../kit/parts.ts'
import { rawBlock, rawBlocks, uniqueBytes, uniqueName } from '../kit/samples.ts'
import type { Suite } from '../kit/test.ts'
import { collect, poll } from '../kit/time.ts'

const topicsAtOnce = 64
const getsAtOnce = 500

export const concurrency: Suite = {
  name: 'concurrency',
  tests: [
    {
      name: `${getsAtOnce} gets at once give each its own block`,
      when: (c) => c.blocks !== undefined,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const many = await rawBlocks(100, 500)
        await t.within('putMany resolves', blocks.putMany(many, { signal: t.signal }))
        const gets = Array.from({ length: getsAtOnce }, async (_value, i) => {
          const block = many[i % many.length] as (typeof many)[number]
          sameBytes(await blocks.get(block.cid, { signal: t.signal }), block.bytes, 'each get gives its own block')
        })
        await t.within('all gets resolve', Promise.all(gets))
      }
    },
    {
      name: '200 puts at once store every block',
      when: (c) => c.blocks !== undefined,
      run: async (t) => {
        const blocks = blocksOf((await t.shared('solo')).at(0))
        const many = await rawBlocks(200)
        const [again] = many
        await t.within(
          'all puts resolve',
          Promise.all(
            [...many, ...(again === undefined ? [] : [again, again])].map(
              async (block) => await blocks.putMany([block], { signal: t.signal })
            )
          )
        )
        const there = await t.within(
          'all has() resolve',
          Promise.all(many.map(async ({ cid }) => await blocks.has(cid)))
        )
        equal(there.filter(Boolean).length, many.length, 'every block is there')
        await t.within('all deletes resolve', Promise.all(many.map(async ({ cid }) => await blocks.delete(cid))))
        const left = await Promise.all(many.map(async ({ cid }) => await blocks.has(cid)))
        equal(left.filter(Boolean).length, 0, 'every block is deleted')
      }
    },
    {
      name: '100 blocks are fetched from others at once, and one block by many gets at once',
      when: (c) => c.blocks?.remote === true,
      run: async (t) => {
        const network = await t.shared('trio')
        const many = await rawBlocks(100, 2000)
        const [same, ...rest] = many as [(typeof many)[number], ...typeof many]
        await blocksOf(network.at(1)).putMany(rest.slice(0, 50))
        await blocksOf(network.at(2)).putMany([same, ...rest.slice(50)])
        await t.within(
          'all gets resolve',
          Promise.all(
            [...rest, same, same, same, same, same].map(async ({ cid, bytes }) =>
              sameBytes(
                await blocksOf(network.at(0)).get(cid, { signal: t.signal }),
                bytes,
                'each get gives its own block'
              )
            )
          )
        )
      }
    },
    {
      name: `${topicsAtOnce} subscriptions at once get each the messages of their own topic`,
      when: (c) => c.messages !== undefined,
      run: async (t) => {
        const network = await t.shared('trio')
        const topics = Array.from({ length: topicsAtOnce }, () => ({ name: uniqueName('many'), inbox: new Inbox() }))
        const subscriptions = await t.within(
          'all subscribes resolve',
          Promise.all(
            topics.map(async ({ name, inbox }) =>
              messagesOf(network.at(1)).subscribe(name, inbox, { signal: t.signal })
            )
          )
        )
        t.defer(async () => await Promise.all(subscriptions.map(async (subscription) => await subscription.close())))
        let waiting = topics
        for (let wait = 25; waiting.length > 0; wait = Math.min(wait * 2, 500)) {
          for (const { name } of waiting) {
            await messagesOf(network.at(0))
              .publish(name, new TextEncoder().encode(`${name} ${uniqueName('')}`), { signal: t.signal })
              .catch((error: unknown) => {
                if (!isP2plError(error) || !error.retryable) throw error
              })
            await t.pace()
          }
          await Promise.all(waiting.map(async ({ inbox }) => inbox.until(() => inbox.messages.length > 0, wait)))
          waiting = waiting.filter(({ inbox }) => inbox.messages.length === 0)
          check(
            waiting.length === 0 || t.remaining() > 0,
            'every subscription gets the messages of its topic',
            `${topics.length - waiting.length} of ${topics.length}`
          )
        }
        for (const { name, inbox } of topics)
          for (const { payload } of inbox.messages)
            check(
              new TextDecoder().decode(payload).startsWith(`${name} `),
              'a subscription gets messages of its own topic only',
              payload
            )
      }
    },
    {
      name: '50 publishes at once resolve, and arrive as declared',
      when: (c) => c.messages !== undefined,
      run: async (t) => {
        const channel = await Channel.open(t, await t.shared('trio'))
        const payloads = Array.from({ length: 50 }, () => uniqueBytes(80))
        await t.within(
          'all publishes resolve',
          Promise.all(payloads.map(async (payload) => await channel.publish(0, payload)))
        )
        const reliable = t.capabilities.messages?.delivery === 'reliable'
        for (const index of [1, 2]) {
          const inbox = channel.inbox(index)
          if (reliable)
            check(
              await inbox.until(() => payloads.every((payload) => inbox.count(payload) > 0), t.remaining()),
              'every message arrives',
              `${inbox.messages.length} of ${payloads.length}`
            )
        }
        await channel.flush(0, [1, 2])
      }
    },
    {
      name: '20 provides and searches at once end each with its own result',
      when: (c) => c.routing !== undefined && c.routing.provide !== 'none' && c.routing.findProviders !== 'none',
      run: async (t) => {
        const network = await t.shared('trio')
        const [owned, nobodys] = [await rawBlocks(20), await rawBlocks(10)]
        const owner = (i: number): number => i % 2
        await t.within(
          'all provides resolve',
          Promise.all(
            owned.map(async (block, i) => {
              if (t.capabilities.blocks !== undefined) await blocksOf(network.at(owner(i))).putMany([block])
              await routingOf(network.at(owner(i))).provide(block.cid, { signal: t.signal })
            })
          )
        )
        const search = async ({ cid }: Block): Promise<string[]> =>
          (await collect(() => routingOf(network.at(2)).findProviders(cid, { signal: t.signal }))).map(({ id }) => id)
        const searches = owned.map(async (block, i) => {
          const found = await poll(t.remaining(), async () => {
            const ids = await search(block)
            return ids.length > 0 ? ids : undefined
          })
          check(found !== undefined, 'a search among others finds the provider', found)
          const ids = idsOf(network.at(owner(i)))
          check(
            found.every((id) => ids.includes(id)),
            'a search among others finds the provider and nobody else',
            found
          )
        })
        const vain = nobodys.map(async (block) =>
          equal((await search(block)).length, 0, 'a search among others finds nobody for a block without a record')
        )
        await t.within('all searches end', Promise.all([...vain, ...searches]))
      }
    },
    {
      name: 'operations of every kind at once do not disturb each other',
      run: async (t) => {
        const network = await t.shared('trio')
        const { messages, blocks, routing } = t.capabilities
        const work: Promise<unknown>[] = []
        for (let i = 0; i < 10; i++) {
          const backend = network.at(i % 3)
          if (blocks !== undefined) {
            const block = await rawBlock(200)
            work.push(
              (async () => {
                await put(backend, block)
                sameBytes(await blocksOf(backend).get(block.cid), block.bytes, 'get gives the bytes of put')
                if (blocks.pins !== 'none') {
                  await blocksOf(backend).pin(block.cid)
                  await collect(() => blocksOf(backend).pins())
                  await blocksOf(backend).unpin(block.cid)
                }
                await blocksOf(backend).delete(block.cid)
                equal(await blocksOf(backend).has(block.cid), false, 'has() is false after delete')
              })()
            )
          }
          if (messages !== undefined)
            work.push(
              (async () => {
                const name = uniqueName('all')
                const subscription = await messagesOf(backend).subscribe(name, new Inbox())
                await messagesOf(backend).publish(name, uniqueBytes(20))
                await subscription.close()
              })()
            )
          if (routing !== undefined && routing.connect !== 'none') work.push(routingOf(backend).connections())
          work.push(backend.start())
        }
        await t.within('all of them resolve', Promise.all(work))
      }
    }
  ]
}
