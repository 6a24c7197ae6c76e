import type { Growing, Growth } from '../growth/growth.ts'
import { startChild } from './child.ts'
import { Meter } from './meter.ts'
import type { Context } from './scenario.ts'
import { order } from './statistics.ts'

/** How one figure grows with the number of peers. */
export interface Curve {
  /** The name of the growth. */
  readonly name: string
  readonly title: string
  readonly measure: string
  readonly points: readonly (readonly [peers: number, value: number])[]
  /** The exponent of the best-fitting power law: 0 does not grow, 1 grows in proportion to the number of peers. */
  readonly order: number
}

/**
 * Measures each number of peers once. The simulator's results depend only on its seed, and memory on hardly anything
 * else.
 */
export async function grow(
  { name, title, role, sizes }: Growth,
  context: Pick<Context, 'profile' | 'quick'>,
  isLong: boolean
): Promise<Curve[]> {
  const points = new Map<string, [number, number][]>()
  for (const peers of context.quick ? sizes.slice(0, 2) : isLong ? sizes : sizes.slice(0, -1)) {
    const child = await startChild<Growing>(role, { peers }, { ...context, meter: new Meter() })
    try {
      for (const [measure, value] of Object.entries(await child.call.measure()))
        points.set(measure, [...(points.get(measure) ?? []), [peers, value]])
    } finally {
      await child.close()
    }
  }
  return [...points].map(([measure, at]) => ({ name, title, measure, points: at, order: order(at) }))
}
