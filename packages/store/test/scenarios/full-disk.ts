// Fills a disk, removes on the full disk, frees space, goes on, opens again. Prints what was lost or came back.
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { compare, errorOf, keyOf, put, remove, storeAt } from '../support/store-at.ts'
import type { StoreEvent, StoreOptions } from '../../src/index.ts'

const [folder = '', sizes = '', durability = 'process'] = process.argv.slice(2)
const location = `${folder}/store`
const filler = `${folder}/filler`
const events: string[] = []
const open = async () =>
  await storeAt(location, {
    durability: durability as StoreOptions['durability'],
    report: (event: StoreEvent) => void events.push(event.type)
  })
const free = (): number => {
  const { bavail, bsize } = statfsSync(folder)
  return bavail * bsize
}

let store = await open()
const there = new Map<string, number>()
const sizeList = sizes.split(',').map(Number)
let count = 0
const add = async (): Promise<void> => {
  const size = sizeList[count % sizeList.length] as number
  const name = `${count % 2 === 0 ? 'a' : 'b'}${count++}`
  await put(store, name, size)
  there.set(name, size)
}
const take = async (name: string): Promise<void> => {
  await remove(store, name)
  there.delete(name)
}

writeFileSync(filler, new Uint8Array(free() / 3))
const errors: string[] = []
let refused = 0
for (let failures = 0; failures < 30;) {
  try {
    await add()
  } catch (error) {
    refused++
    failures++
    errors.push(errorOf(error))
  }
}
const acknowledged = there.size
// Removing works, and what was acknowledged can be read meanwhile.
const whenFull = await compare(store, there)
for (const name of [...there.keys()].slice(0, 20)) await take(name)
const freeWhenFull = free()

// A start works as well.
await store.close()
store = await open()
const afterStart = await compare(store, there)
for (const name of [...there.keys()].slice(0, 20)) await take(name)

// Once there is room again, everything goes on.
rmSync(filler)
const before = there.size
for (let bytes = 0; bytes < 3_000_000; bytes += Math.max(75_000, [...there.values()].at(-1) ?? 0)) await add()
const afterRoom = await compare(store, there)
await store.close()
store = await open()
const atEnd = await compare(store, there)
const unread = await store.get(keyOf('a nobody'))
await store.close()
process.stdout.write(
  `${JSON.stringify({ acknowledged, refused, errors: [...new Set(errors)], whenFull, freeWhenFull, afterStart, more: there.size - before, afterRoom, atEnd, unread: unread === undefined, events })}\n`
)
