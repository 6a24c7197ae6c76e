import { P2plError } from '@p2pl/core/backend'
import { until } from '@p2pl/tooling-vitest'
import { afterEach, expect, it } from 'vitest'
import { Health, type HealthEvent } from '../src/health.ts'

const events: HealthEvent[] = []
const running: Health[] = []
const gone = new P2plError({ code: 'UNREACHABLE', message: 'gone' })

afterEach(() => {
  for (const health of running.splice(0)) health.stop()
  events.length = 0
})

function healthOf(look: () => Promise<unknown>, hangTimeout = 3_600_000): Health {
  const health = new Health({ look, interval: 1, timeout: 1, hangTimeout })
  running.push(health)
  health.on((event) => void events.push(event))
  health.start()
  return health
}

const told = (): string[] => events.map(({ type }) => type).filter((type) => type !== 'look')

it('tells once that the daemon is lost, and once that it is back', async () => {
  let well = true
  const health = healthOf(async () => {
    if (!well) throw gone
  })
  expect(health.state).toBe('well')
  await until('a look', () => events.length > 0)
  well = false
  await until('it is lost', () => health.state === 'lost')
  let looks = 0
  health.on(({ type }) => void (type === 'look' && looks++))
  well = true
  await until('it is back', () => looks > 1)
  expect(told()).toEqual(['lost', 'back'])
  expect(events.find(({ type }) => type === 'lost')).toMatchObject({ error: { code: 'UNREACHABLE' } })
})

it('the answers of a daemon that was started again say nothing until it is ready', async () => {
  let looks = 0
  const health = healthOf(async () => void looks++)
  health.ended(gone)
  const before = looks
  await until('it is looked at', () => looks > before + 2)
  expect(told()).toEqual(['lost'])
  health.restarted()
  await until('it is back', () => health.state === 'well')
  expect(told()).toEqual(['lost', 'back'])
})

it('the answers of a daemon that is being ended say nothing about the next one', async () => {
  let looks = 0
  let well = false
  const health = healthOf(async () => {
    looks++
    if (!well) throw gone
  })
  await until('it is lost', () => health.state === 'lost')
  health.ending()
  well = true
  const before = looks
  await until('it is looked at', () => looks > before + 2)
  expect(told()).toEqual(['lost'])
  health.restarted()
  await until('it is back', () => health.state === 'well')
})

it('a look that is under way when the daemon is ready again says nothing of it', async () => {
  const asked: PromiseWithResolvers<void>[] = []
  const health = healthOf(async () => {
    const look = Promise.withResolvers<void>()
    asked.push(look)
    await look.promise
  })
  await until('it is looked at', () => asked.length === 1)
  health.ended(gone)
  health.restarted()
  await until('the new one is looked at', () => asked.length === 2)
  asked[1]?.resolve()
  await until('it is back', () => health.state === 'well')
  asked[0]?.reject(gone)
  await until('it is looked at', () => asked.length > 2)
  expect(told()).toEqual(['lost', 'back'])
})

it('the end of a process that a look has found lost is told once; not that of one that is being ended', async () => {
  const health = healthOf(async () => {
    throw gone
  })
  await until('it is lost', () => health.state === 'lost')
  health.ended(gone)
  // It could not be started again.
  health.ended(gone)
  expect(told()).toEqual(['lost', 'ended'])
  health.restarted()
  health.ending()
  health.ended(gone)
  expect(told()).toEqual(['lost', 'ended'])
})

it('a daemon that does not answer for long hangs, but not before three looks have failed', async () => {
  let failed = 0
  healthOf(async () => {
    failed++
    throw gone
  }, 1)
  await until('it hangs', () => told().includes('hung'))
  expect(failed).toBeGreaterThanOrEqual(3)
  expect(told()[0]).toBe('lost')
})

it('is silent after stop and does not hear of losses', async () => {
  let looks = 0
  const health = healthOf(async () => {
    looks++
    throw gone
  })
  await until('it is looked at', () => looks > 0)
  health.stop()
  events.length = 0
  health.ended(gone)
  health.restarted()
  expect([health.state, events]).toEqual(['stopped', []])
})
