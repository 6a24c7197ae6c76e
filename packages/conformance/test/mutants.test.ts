import type { Layer } from '@p2pl/core/backend'
import { describe, expect, it } from 'vitest'
import { createFakeConformanceNetwork, type FakeBackend } from '../src/fake/index.ts'
import type { ConformanceFixture } from '../src/index.ts'
import { abortMutants } from './mutants/abort.ts'
import { adapterMutants } from './mutants/adapter.ts'
import { blockMutants } from './mutants/blocks.ts'
import { concurrencyMutants } from './mutants/concurrency.ts'
import { cutMutants } from './mutants/cut.ts'
import { errorMutants } from './mutants/errors.ts'
import { exchangeMutants } from './mutants/exchange.ts'
import { guaranteeMutants } from './mutants/guarantees.ts'
import { endMutants, lifecycleMutants } from './mutants/lifecycle.ts'
import { messageMutants } from './mutants/messages.ts'
import type { Mutant } from './mutants/mutant.ts'
import { pinMutants } from './mutants/pins.ts'
import { refusalMutants } from './mutants/refusals.ts'
import { routingMutants } from './mutants/routing.ts'
import { failures, report, runKit } from './support.ts'

/** A mutant is expected to keep a test waiting; the right fake answers within a few milliseconds. */
const patience = 250

function fixtureOf(mutant: Mutant): ConformanceFixture {
  return {
    name: mutant.name,
    patience,
    followsHints: true,
    cutsFrom: 'engine',
    capabilities: mutant.claimed,
    wrap: ((backend: FakeBackend) => mutant.mutate(backend)) as unknown as Layer,
    create: async (count) => {
      const network = createFakeConformanceNetwork(count, { capabilities: mutant.capabilities })
      return mutant.network?.(network) ?? network
    }
  }
}

const groups: Readonly<Record<string, readonly Mutant[]>> = {
  lifecycle: lifecycleMutants,
  capabilities: refusalMutants,
  messages: messageMutants,
  'messages: guarantees': guaranteeMutants,
  blocks: blockMutants,
  'blocks from others': exchangeMutants,
  'pins, gc and DAGs': pinMutants,
  routing: routingMutants,
  abort: abortMutants,
  'cut off': cutMutants,
  errors: errorMutants,
  concurrency: concurrencyMutants,
  adapters: adapterMutants,
  end: endMutants
}

for (const [group, mutants] of Object.entries(groups)) {
  describe(`mutants of ${group}`, () => {
    for (const mutant of mutants) {
      it(`is caught when ${mutant.name}`, async () => {
        // Its test alone: it fails in a whole run as well, which takes a hundred times as long.
        const outcomes = await runKit(fixtureOf(mutant), { only: mutant.caughtBy })
        const named = outcomes.filter(({ name }) => mutant.caughtBy.test(name))
        expect(named, 'no test has a name that the mutant names').not.toEqual([])
        expect(failures(named), report(outcomes)).not.toEqual([])
      })
    }
  })
}
