import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { short } from '../data/names.ts'

/** A shortened id. A click copies all of it. */
export function Id({ id, label = short(id) }: { id: string; label?: string }): JSX.Element {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(id)
    setCopied(true)
    setTimeout(() => setCopied(false), 1_200)
  }
  return (
    <button type="button" class="id" title={id} aria-label={`${label}: copy ${id}`} onClick={() => void copy()}>
      {copied ? 'copied' : label}
    </button>
  )
}
