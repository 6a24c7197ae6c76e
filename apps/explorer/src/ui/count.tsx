import type { JSX } from 'preact'
import { useCalm } from './calm.ts'

/** How many there are, or were found. */
export function Count({ text }: { text: string }): JSX.Element {
  return (
    <p class="count" role="status">
      {useCalm(text)}
    </p>
  )
}
