import { memory } from '@p2pl/memory'
import { expect, it } from 'vitest'
import * as layers from '../src/index.ts'
import { tracePeer, tracing } from '../src/tracing.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- arguments that no type checker has seen
const untyped = (call: unknown): any => call
const { compose, timeout, chaos, metrics, retry, bridge, failover, mirror, race } = untyped(layers)
const random = (): number => 0.5

const wrong: Readonly<Record<string, [call: () => unknown, part: string]>> = {
  'timeout: nothing': [() => timeout(), 'timeout({ get: 10_000 })'],
  'timeout: a number': [() => timeout(5_000), 'must be an object, not 5000'],
  'timeout: text as time': [() => timeout({ get: '10s' }), 'not "10s"'],
  'chaos: nothing': [() => chaos(), 'random must be a function'],
  'chaos: a seed': [() => chaos(7), 'must be an object, not 7'],
  'chaos: a number as random': [() => chaos({ random: 0.5 }), 'not 0.5'],
  'metrics: nothing': [() => metrics(), 'countingSink()'],
  'metrics: a sink that was not made': [() => metrics(layers.countingSink), 'not a function'],
  'metrics: text as onIncoming': [() => metrics({ onCall: () => undefined, onIncoming: 'x' }), 'onIncoming'],
  'prometheusSink: a list': [() => untyped(layers.prometheusSink)([]), 'not an Array'],
  'formatMetrics: nothing': [() => untyped(layers.formatMetrics)(), 'list'],
  'formatMetrics: a sink': [() => untyped(layers.formatMetrics)(layers.prometheusSink()), 'list'],
  'retry: null': [() => retry(null), 'not null'],
  'retry: text as random': [() => retry({ random: 'x' }), 'random must be a function'],
  'compose: nothing': [() => compose(), 'the first argument is not a backend'],
  'compose: a promise': [() => compose(Promise.resolve(memory())), 'await it first'],
  'compose: options instead of a layer': [() => compose(memory(), {}), 'retry()'],
  'compose: undefined instead of a layer': [() => compose(memory(), undefined), 'retry()'],
  'compose: a layer that was not made': [() => compose(memory(), retry), 'the options'],
  'compose: a layer that gives nothing': [() => compose(memory(), () => undefined), 'the result of a layer'],
  'a layer around nothing': [() => retry()(), 'what it wraps is not a backend'],
  'tracing: a name': [() => untyped(tracing)('app'), 'must be an object'],
  'tracePeer: nothing': [() => untyped(tracePeer)(), 'createPeer'],
  'tracePeer: a peer that was not awaited': [() => untyped(tracePeer)(Promise.resolve({})), 'await'],
  'bridge: nothing': [() => bridge(), 'entry 0 of the list is not a backend'],
  'bridge: no options': [() => bridge(memory(), memory()), 'topics must be a list'],
  'failover: no list': [() => failover(memory(), memory()), 'give it a list'],
  'race: nothing': [() => race(), 'give it a list'],
  'mirror: a promise': [() => mirror([memory(), Promise.resolve(memory())]), 'entry 1 of the list'],
  'failover: null as options': [() => failover([memory(), memory()], null), 'not null'],
  'race: a date as clock': [() => race([memory(), memory()], { clock: new Date() }), 'clock has no method'],
  'mirror: a number as random': [() => mirror([memory(), memory()], { random: 1 }), 'random must be a function']
}

it.each(Object.entries(wrong))('%s is refused, and the message names the fix', (_, [call, part]) => {
  const message = expect.stringContaining(part) as string
  expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }))
})

it.each(['retry', 'timeout', 'adaptiveTimeout', 'hedge', 'circuitBreaker', 'log', 'chaos', 'createRetryBudget'])(
  '%s takes no clock without its methods',
  (name) => {
    const make = untyped(layers)[name]
    const message = expect.stringContaining('clock has no method "now"') as string
    expect(() => make({ ...(name === 'chaos' && { random }), clock: {} })).toThrow(expect.objectContaining({ message }))
  }
)
