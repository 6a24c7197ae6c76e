import { expect, test } from 'vitest'
import { Beacons } from '../src/beacons/beacons.ts'
import { Timers } from '../src/toolbox/timers.ts'

const period = 1_000

/** Beacons in virtual time; gives when they were sent. */
function beaconsIn(peers: number) {
  let now = 0
  let timers: { at: number; callback: () => void }[] = []
  const sent: number[] = []
  const clock = {
    now: () => now,
    wall: () => 0,
    setTimeout: (callback: () => void, ms: number) => {
      const timer = { at: now + ms, callback }
      timers.push(timer)
      return timer
    },
    clearTimeout: (timer: unknown) => {
      timers = timers.filter((one) => one !== timer)
    },
    nextTurn: () => {}
  }
  const beacons = new Beacons({
    timers: new Timers(clock),
    period,
    random: () => 0.5,
    peers: () => peers,
    questionPause: () => undefined,
    send: async () => {
      sent.push(now)
    }
  })
  const pass = async (ms: number): Promise<void> => {
    for (const end = now + ms; now < end;) {
      now++
      for (const due of timers.filter(({ at }) => at <= now)) {
        clock.clearTimeout(due)
        due.callback()
        for (let turn = 0; turn < 4; turn++) await Promise.resolve()
      }
    }
  }
  return { beacons, sent, pass }
}

test('a quiet view answers a peer that is behind at once', async () => {
  const { beacons, sent, pass } = beaconsIn(3)
  beacons.start()
  await pass(10 * period)
  const { length } = sent
  while (sent.length === length) await pass(1)
  await pass(0.3 * period)
  const before = sent.length
  beacons.answer()
  await pass(0.15 * period)
  expect(sent).toHaveLength(before + 1)
})

test('while changes go on, peers that were behind when they spoke make no beacons beside those of the changes', async () => {
  const count = async (each: (beacons: Beacons) => void): Promise<number> => {
    const { beacons, sent, pass } = beaconsIn(3)
    beacons.start()
    for (let i = 0; i < 200; i++) {
      beacons.changed(0.1)
      each(beacons)
      await pass(period / 20)
    }
    return sent.length
  }
  const alone = await count(() => {})
  expect(alone).toBeLessThan(25)
  expect(await count((beacons) => beacons.answer())).toBeLessThan(alone + 3)
  // A question is answered in any case.
  expect(await count((beacons) => beacons.answer(true))).toBeGreaterThan(2 * alone)
})
