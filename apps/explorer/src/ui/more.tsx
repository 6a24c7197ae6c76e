import type { JSX } from 'preact'
import type { Signal } from '@preact/signals'

/** Shows more rows of a long table. Hidden once all rows are shown. */
export function More({ shown, step, all }: { shown: Signal<number>; step: number; all: number }): JSX.Element | null {
  if (all <= shown.value) return null
  return (
    <button type="button" onClick={() => (shown.value += step)}>
      Show {Math.min(step, all - shown.value)} more
    </button>
  )
}
