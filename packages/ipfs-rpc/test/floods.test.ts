import type { Responder } from '@p2pl/tooling-kubo/fake-daemon'
import { describe, expect, it } from 'vitest'
import { collect } from './support/collect.ts'
import { cid, lyingServer, peerId } from './support/lying.ts'

describe('a server that answers with floods', () => {
  const { against } = lyingServer()

  it('floods of lines are read in turns of the event loop', async () => {
    const chunks = 40
    const flood =
      (line: string): Responder =>
      (response) => {
        const lines = Buffer.from(`${line}\n`.repeat(2_500))
        let sent = 0
        const more = (): void => {
          while (sent < chunks) if ((sent++, !response.write(lines))) return void response.once('drain', more)
          response.end()
        }
        more()
      }
    const { blocks } = await against({
      'pin/ls': flood(`{"Cid":"${cid.toString()}","Type":"recursive"}`),
      'repo/gc': flood(`{"Key":{"/":"${cid.toString()}"}}`)
    })
    for (const open of [() => blocks?.pins(), () => blocks?.gc()]) {
      let turns = 0
      let running = true
      const turn = (): void => {
        turns++
        if (running) setImmediate(turn)
      }
      setImmediate(turn)
      let count = 0
      for await (const item of open() ?? []) if (item !== undefined) count++
      running = false
      expect(count).toBeGreaterThanOrEqual(chunks * 2_500)
      // At most a thousand lines at a time.
      expect(turns).toBeGreaterThan((chunks * 2_500) / 1_000)
    }
  })

  it('a list of more peers than any daemon has is bounded, and one event of a search, too', async () => {
    const peer = { ID: peerId, Addrs: ['/ip4/1.2.3.4/tcp/1'] }
    const { routing } = await against({
      'swarm/peers': (response) =>
        response.end(
          JSON.stringify({
            Peers: Array.from({ length: 60_000 }, () => ({ Peer: peerId, Addr: '/ip4/1.2.3.4/tcp/1' }))
          })
        ),
      'routing/findprovs': (response) =>
        response.end(`${JSON.stringify({ Type: 4, Responses: Array.from({ length: 30_000 }, () => peer) })}\n`)
    })
    await expect(routing?.connections()).rejects.toMatchObject({ code: 'PROTOCOL' })
    await expect(collect(routing?.findProviders(cid) ?? [])).rejects.toMatchObject({ code: 'PROTOCOL' })
  })
})
