// Writes until the disk turns read-only, goes on trying, mounts the disk again. Prints what was lost or came back.
import { breakDisk, mountAgain, remount } from '@p2pl/tooling-vitest/ext4'
import { compare, errorOf, put, storeAt } from '../support/store-at.ts'
import type { StoreEvent } from '../../src/index.ts'

const [folder = '', sizes = ''] = process.argv.slice(2)
const events: string[] = []
const open = async () =>
  await storeAt(`${folder}/store`, {
    durability: 'power',
    report: (event: StoreEvent) => void events.push(event.type)
  })
const sizeList = sizes.split(',').map(Number)
const there = new Map<string, number>()
let count = 0

let store = await open()
/** Four writers at a time, until so many writes were acknowledged or refused. Gives what the refusals said. */
async function write(acknowledged: number, refused: number): Promise<string[]> {
  const errors: string[] = []
  const enough = there.size + acknowledged
  const writer = async (): Promise<void> => {
    while (there.size < enough && errors.length < refused) {
      const size = sizeList[count % sizeList.length] as number
      const name = `${count % 2 === 0 ? 'a' : 'b'}${count++}`
      try {
        await put(store, name, size)
        there.set(name, size)
      } catch (error) {
        errors.push(errorOf(error))
      }
      if (there.size === 60 && !isBroken) {
        isBroken = true
        breakDisk(folder)
      }
    }
  }
  await Promise.all(Array.from({ length: 4 }, writer))
  return errors
}

let isBroken = false
const errors = await write(Infinity, 30)
const acknowledged = there.size
const whenReadOnly = await compare(store, there)
await store.close()

const opening: string[] = []
await open().catch((error: unknown) => opening.push(errorOf(error)))
mountAgain(folder)
remount(folder, 'ro')
await open().catch((error: unknown) => opening.push(errorOf(error)))
remount(folder, 'rw')
store = await open()
const afterRestart = await compare(store, there)
const more = await write(20, 1)
const atEnd = await compare(store, there)
await store.close()
process.stdout.write(
  `${JSON.stringify({ acknowledged, errors: [...new Set(errors)], whenReadOnly, opening, afterRestart, more, atEnd, events })}\n`
)
