import { conformance, type ConformanceFixture, type Runner } from '../src/index.ts'

export interface Outcome {
  readonly name: string
  readonly error?: unknown
}

interface Defined {
  readonly name: string
  readonly body: () => Promise<void>
}

function define(fixture: ConformanceFixture, onUnhandledRejection?: Runner['onUnhandledRejection']): Defined[] {
  const path: string[] = []
  const tests: Defined[] = []
  conformance(
    {
      describe: (name, body) => {
        path.push(name)
        body()
        path.pop()
      },
      it: (name, body) => void tests.push({ name: [...path.slice(1), name].join(' > '), body }),
      onUnhandledRejection
    },
    fixture
  )
  return tests
}

/** The names of all tests that the kit defines for a fixture. */
export function namesOf(fixture: ConformanceFixture): string[] {
  return define(fixture).map(({ name }) => name)
}

/** Runs the kit by itself and tells how each test ended; with `only`, runs the tests that it names and the last one. */
export async function runKit(
  fixture: ConformanceFixture,
  options: { only?: RegExp | undefined; onUnhandledRejection?: Runner['onUnhandledRejection'] } = {}
): Promise<Outcome[]> {
  const tests = define(fixture, options.onUnhandledRejection)
  const outcomes: Outcome[] = []
  for (const { name, body } of tests) {
    if (options.only?.test(name) === false && !name.startsWith('end')) continue
    try {
      await body()
      outcomes.push({ name })
    } catch (error) {
      outcomes.push({ name, error })
    }
  }
  return outcomes
}

export function failures(outcomes: readonly Outcome[]): string[] {
  return outcomes.filter((outcome) => 'error' in outcome).map(({ name }) => name)
}

/** Each failure with its message, for people. */
export function report(outcomes: readonly Outcome[]): string {
  return outcomes
    .filter((outcome) => 'error' in outcome)
    .map(({ name, error }) => `${name}: ${error instanceof Error ? error.message : String(error)}`)
    .join('\n')
}
