import { until } from '@p2pl/tooling-vitest'
import { expect, it } from 'vitest'
import { seededBlock } from './support/block.ts'
import { errorOf } from './support/daemon.ts'
import { lyingServer, refused } from './support/lying.ts'

const { against } = lyingServer()

it('a block that others are asked for is not lost where the caller gives up while it is taken out', async () => {
  const { cid, bytes } = await seededBlock(100, 1)
  let stored = true
  let puts = 0
  const [asked, may] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const { blocks } = await against({
    'pin/ls': refused('is not pinned'),
    'block/stat': (response) =>
      response.end(JSON.stringify({ Key: cid.toString(), Size: stored ? bytes.byteLength : 0 })),
    'block/get': (response, request) => {
      // Nobody else has it.
      if (String(request.url).includes('offline=true')) response.end(bytes)
    },
    // A daemon takes a while for it, and does it also where nobody waits for the answer any more.
    'block/rm': (response) => {
      asked.resolve()
      void may.promise.then(() => {
        stored = false
        response.end(`${JSON.stringify({ Hash: cid.toString() })}\n`)
      })
    },
    'block/put': (response) => {
      puts++
      stored = true
      response.end(`${JSON.stringify({ Key: cid.toString(), Size: bytes.byteLength })}\n`)
    }
  })
  const giveUp = new AbortController()
  const got = errorOf(blocks?.get(cid, { remote: true, signal: giveUp.signal }))
  await asked.promise
  giveUp.abort()
  expect(await got).toMatchObject({ code: 'ABORTED' })
  expect(await blocks?.get(cid, { local: true })).toEqual(bytes)
  // Calls that were on their way to the daemon arrive before the last of these.
  for (let i = 0; i < 20; i++) await errorOf(blocks?.unpin(cid))
  may.resolve()
  await until('it was put back', () => puts === 1)
  expect(stored).toBe(true)
})
