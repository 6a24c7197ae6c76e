import { expect, it } from 'vitest'
import { until } from '@p2pl/tooling-vitest'
import type { Branch } from '../src/demo/accounts.ts'
import { Crew } from '../src/demo/crew.ts'
import type { RunningPeer } from '../src/demo/fleet.ts'
import { LedgerError } from '../src/errors.ts'

/** A fake peer. Its connections break before its end is reported, which also happens with a process. */
class Puppet {
  readonly name: Branch
  readonly connected: string[] = []
  readonly #ended = Promise.withResolvers<string>()
  broken = false
  stopped = 0

  constructor(name: Branch) {
    this.name = name
  }

  tellItsEnd(): void {
    this.#ended.resolve('SIGKILL')
  }

  get peer(): RunningPeer {
    const answer = <T>(value: T): T => {
      if (this.broken) throw new LedgerError('UNAVAILABLE', 'the connection broke')
      return value
    }
    const ledger = {
      status: async () => await Promise.resolve(answer({ self: [{ id: this.name, addresses: ['/memory/1'] }] })),
      connect: async ({ id }: { id: string }) => await Promise.resolve(answer(this.connected.push(id)))
    }
    const stop = async (): Promise<void> => {
      this.stopped++
      await Promise.resolve()
    }
    return { name: this.name, ledger, ended: this.#ended.promise, kill: stop, stop } as unknown as RunningPeer
  }
}

/** A crew of puppets, and all puppets that were started. A start completes only after `held` resolves. */
function crewOfPuppets(): { crew: Crew; puppets: Puppet[]; lines: string[]; hold: (start: Promise<void>) => void } {
  const puppets: Puppet[] = []
  const lines: string[] = []
  let held: Promise<void> | undefined
  const crew = new Crew({
    description: 'puppets',
    killing: 'cut',
    start: async (name) => {
      await held
      const puppet = new Puppet(name)
      puppets.push(puppet)
      return puppet.peer
    }
  })
  crew.keepAlive((line) => lines.push(line))
  return {
    crew,
    puppets,
    lines,
    hold: (start) => {
      held = start
    }
  }
}

it('a peer starts also while another ends, whose end is told after its connections broke', async () => {
  const { crew, puppets, lines } = crewOfPuppets()
  await crew.start('birch')
  const [birch] = puppets
  if (birch === undefined) throw new Error('no peer')
  birch.broken = true
  const starting = crew.start('cedar')
  await until('cedar is up', () => crew.life('cedar') === 'up')
  setImmediate(() => {
    birch.tellItsEnd()
  })
  await starting
  await until('birch is back', () => lines.includes('birch is back with what it had on disk'))
  const [, cedar, again] = puppets
  expect(cedar?.connected).toEqual(['birch'])
  expect(again?.connected).toEqual(['cedar'])
  expect(branchesUp(crew)).toEqual(['birch', 'cedar'])
  await crew.stop()
})

it('a peer that comes back while all are stopped is stopped, too', async () => {
  const { crew, puppets, lines, hold } = crewOfPuppets()
  await crew.start('birch')
  const start = Promise.withResolvers<undefined>()
  hold(start.promise)
  puppets[0]?.tellItsEnd()
  await until('birch is started again', () => lines.length === 1)
  await crew.stop()
  start.resolve(undefined)
  await until('it is stopped', () => puppets[1]?.stopped === 1)
  await until('its start has ended', () => crew.life('birch') === 'killed')
  expect(lines).toEqual(['birch ended (SIGKILL); it is started again'])
  expect(crew.peers()).toEqual([])
})

function branchesUp(crew: Crew): Branch[] {
  return crew.peers().map(({ name }) => name)
}
