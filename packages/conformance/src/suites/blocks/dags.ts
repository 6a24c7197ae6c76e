import type { Backend, Capabilities } from '@p2pl/core/backend'
import { anyError, check, equal, rejects, sameBytes, sameSet } from '../../kit/check.ts'
import { blocksOf, dagOf } from '../../kit/parts.ts'
import { type Dag, key, rawBlock } from '../../kit/samples.ts'
import type { Test, TestRun } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'
import { stored } from './pin-calls.ts'

const wholeDags = (c: Capabilities): boolean => c.blocks !== undefined && c.blocks.dag !== 'none'

async function inOrder(t: TestRun, backend: Backend, dag: Dag): Promise<void> {
  const seen = await t.within(
    'getDag ends',
    collect(() => dagOf(backend)(dag.root.cid, { signal: t.signal }))
  )
  const names = seen.map(({ cid }) => key(cid))
  sameSet(
    names,
    dag.blocks.map(({ cid }) => key(cid)),
    'getDag gives every block of the DAG, each once'
  )
  equal(names[0], key(dag.root.cid), 'getDag gives the root first')
  for (const [i, { cid, bytes }] of seen.entries()) {
    const original = dag.blocks.find((block) => key(block.cid) === key(cid))
    if (original !== undefined) sameBytes(bytes, original.bytes, 'getDag gives the bytes of each block')
    const before = names.slice(0, i)
    check(
      i === 0 || before.some((parent) => dag.links.get(parent)?.includes(key(cid)) === true),
      'getDag gives a parent before its children',
      names
    )
  }
}

export const dags: readonly Test[] = [
  {
    name: 'getDag gives the root first, every block once, parents before children',
    when: wholeDags,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      await inOrder(t, backend, await stored(t, backend))
      const single = await rawBlock()
      await blocksOf(backend).put(single)
      const only = await collect(() => dagOf(backend)(single.cid))
      equal(only.length, 1, 'the DAG of a leaf is that leaf')
    }
  },
  {
    name: 'getDag fetches a block that another peer stores',
    when: (c) => wholeDags(c) && c.blocks?.remote === true,
    run: async (t) => {
      const network = await t.shared('trio')
      await inOrder(t, network.at(0), await stored(t, network.at(2)))
    }
  },
  {
    name: 'getDag with local: true of a missing block rejects with NOT_FOUND at once',
    when: wholeDags,
    run: async (t) => {
      const backend = (await t.shared('trio')).at(0)
      const { cid } = await rawBlock()
      await t.soon(
        'a local getDag rejects at once',
        rejects(() => collect(() => dagOf(backend)(cid, { local: true, signal: t.signal })), {
          backend,
          operation: 'blocks.getDag',
          codes: ['NOT_FOUND']
        })
      )
    }
  },
  {
    name: 'an iteration of getDag may be left early',
    when: wholeDags,
    run: async (t) => {
      const backend = (await t.shared('solo')).at(0)
      const dag = await stored(t, backend)
      const leave = async (): Promise<void> => {
        for await (const block of dagOf(backend)(dag.root.cid)) {
          equal(key(block.cid), key(dag.root.cid), 'the root is first')
          break
        }
      }
      await t.within('leaving an iteration ends it', leave())
      await t
        .within(
          'getDag works after that',
          collect(() => dagOf(backend)(dag.root.cid, { signal: t.signal }))
        )
        .catch((error: unknown) => anyError(error, backend, 'blocks.getDag'))
    }
  }
]
