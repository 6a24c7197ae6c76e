import type { JSX } from 'preact'
import { useCalm } from './calm.ts'

/** The number of items, or of search results. */
export function Count({ text }: { text: string }): JSX.Element {
  return (
    <p class="count" role="status">
      {useCalm(text)}
    </p>
  )
}
