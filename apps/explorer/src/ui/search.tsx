import type { JSX } from 'preact'
import type { Signal } from '@preact/signals'

/** A search field that searches while the user types. */
export function Search({ text, label, hint }: { text: Signal<string>; label: string; hint: string }): JSX.Element {
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={hint}
      onInput={({ currentTarget }) => (text.value = currentTarget.value)}
    />
  )
}
