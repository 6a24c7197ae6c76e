// Writes while the file system fails at the n-th call, for every n in a range, and looks at what is there afterwards.
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { compare, put, remove, storeAt } from '../support/store-at.ts'
import type { StoreOptions } from '../../src/index.ts'

const [folder = '', first = '', last = '', times = '', errno = '', durability = 'process'] = process.argv.slice(2)
const location = `${folder}/disk/store`
const control = openSync(`${folder}/control`, 'r+')
const plan = (after: number, failures: number): void => {
  writeSync(control, new Uint8Array(Int32Array.of(after, failures, Number(errno)).buffer), 0, 12, 0)
}

const wrong: unknown[] = []
let refused = 0
let acknowledged = 0
for (let n = Number(first); n <= Number(last); n++) {
  plan(0, 0)
  rmSync(location, { recursive: true, force: true })
  mkdirSync(location, { recursive: true })
  const options = { durability: durability as StoreOptions['durability'] }
  let store = await storeAt(location, options)
  const there = new Map<string, number>()
  plan(n, Number(times))
  for (let i = 0; i < 24; i++) {
    const name = `${i % 3 === 0 ? 'b' : 'a'}${i}`
    const size = i % 6 === 0 ? 300_000 : i % 4 === 0 ? 40_000 : 200
    try {
      await put(store, name, size)
      there.set(name, size)
      acknowledged++
      if (i % 5 === 4) {
        await remove(store, name)
        there.delete(name)
      }
    } catch {
      refused++
    }
  }
  plan(0, 0)
  // The pauses between attempts to open grow; the writes go on once the disk is well.
  for (let attempt = 0; ; attempt++) {
    try {
      await put(store, 'a last', 200)
      there.set('a last', 200)
      break
    } catch (error) {
      if (attempt > 2_000) throw error
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const open = await compare(store, there)
  await store.close()
  store = await storeAt(location, options)
  const reopened = await compare(store, there)
  await store.close()
  if ([open, reopened].some(({ missing, extra }) => missing.length + extra.length > 0))
    wrong.push({ n, open, reopened })
}
closeSync(control)
process.stdout.write(`${JSON.stringify({ wrong, refused, acknowledged })}\n`)
