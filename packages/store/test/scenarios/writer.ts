// Writes until it is killed, and prints the name of each write that was acknowledged.
import { writeSync } from 'node:fs'
import { put, remove, storeAt } from '../support/store-at.ts'

const [location = '', round = ''] = process.argv.slice(2)
const store = await storeAt(location)
const sizes = [100, 300_000, 20_000, 1_000, 700_000]
for (let writer = 0; writer < 6; writer++) {
  void (async () => {
    for (let i = 0; ; i++) {
      const size = sizes[(i + writer) % sizes.length] as number
      const name = `${writer % 2 === 0 ? 'a' : 'b'} ${round} ${writer} ${i} ${size}`
      // What is announced may be there after a kill; what is confirmed is.
      writeSync(1, `+${name}\n`)
      await put(store, name, size)
      writeSync(1, `=${name}\n`)
      if (i % 4 !== 3) continue
      writeSync(1, `-${name}\n`)
      await remove(store, name)
      writeSync(1, `~${name}\n`)
    }
  })()
}
