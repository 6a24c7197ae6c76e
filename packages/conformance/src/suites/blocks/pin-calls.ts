import type { Backend, Pin } from '@p2pl/core/backend'
import type { CID } from 'multiformats/cid'
import { equal, rejects } from '../../kit/check.ts'
import { blocksOf } from '../../kit/parts.ts'
import { type Dag, diamond, key } from '../../kit/samples.ts'
import type { TestRun } from '../../kit/test.ts'
import { collect } from '../../kit/time.ts'

export async function stored(t: TestRun, backend: Backend): Promise<Dag> {
  const dag = await diamond()
  await t.within('putMany resolves', blocksOf(backend).putMany(dag.blocks, { signal: t.signal }))
  return dag
}

export async function pin(t: TestRun, backend: Backend, cid: CID, recursive?: boolean): Promise<void> {
  await t.within('pin resolves', blocksOf(backend).pin(cid, { recursive, signal: t.signal }))
}

export async function pinsOf(t: TestRun, backend: Backend, cid: CID): Promise<Pin[]> {
  const pins = await t.within(
    'pins() ends',
    collect(() => blocksOf(backend).pins({ signal: t.signal }))
  )
  return pins.filter((item) => key(item.cid) === key(cid))
}

export async function gc(t: TestRun, backend: Backend): Promise<string[]> {
  const removed = await t.within(
    'gc() ends',
    collect(() => blocksOf(backend).gc({ signal: t.signal }))
  )
  return removed.map((cid) => key(cid))
}

export async function cannotDelete(backend: Backend, cid: CID): Promise<void> {
  await rejects(() => blocksOf(backend).delete(cid), {
    backend,
    operation: 'blocks.delete',
    codes: ['PINNED']
  })
  equal(await blocksOf(backend).has(cid), true, 'a pinned block is there after a refused delete')
}
