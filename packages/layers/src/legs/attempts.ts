import type { Clock } from '@p2pl/core/backend'

export interface Attempts<T> {
  readonly values: readonly T[]
  readonly errors: readonly unknown[]
}

/**
 * The results of tasks that run at the same time. Resolves when all have ended, or `patience` ms after `enough` of them
 * have succeeded. The others go on, and their results are ignored.
 */
export async function attempts<T>(
  clock: Clock,
  works: readonly Promise<T>[],
  patience: number,
  enough = 1
): Promise<Attempts<T>> {
  const values: T[] = []
  const errors: unknown[] = []
  let timer: unknown
  try {
    await new Promise<void>((resolve) => {
      if (works.length === 0) resolve()
      const ended = (): void => {
        if (values.length + errors.length === works.length) resolve()
        else if (values.length >= enough && patience < Infinity)
          timer ??= clock.setTimeout(resolve, patience, { hold: true })
      }
      for (const work of works) {
        work.then(
          (value) => {
            values.push(value)
            ended()
          },
          (error: unknown) => {
            errors.push(error)
            ended()
          }
        )
      }
    })
    return { values: [...values], errors: [...errors] }
  } finally {
    clock.clearTimeout(timer)
  }
}
