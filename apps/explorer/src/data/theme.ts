import { type ReadonlySignal, type Signal, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

export const theme: Signal<Theme> = signal(stored())
/** Changes when the colours change, for code that paints by hand. */
export const colours: Signal<number> = signal(0)

export function setTheme(value: Theme): void {
  theme.value = value
  localStorage.setItem('theme', value)
  apply()
}

export function startTheme(): void {
  apply()
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => colours.value++)
}

/** Whether the user wants reduced motion. */
export const isStill: ReadonlySignal<boolean> = media('(prefers-reduced-motion: reduce)')
export const isNarrow: ReadonlySignal<boolean> = media('(width < 600px)')

function media(query: string): ReadonlySignal<boolean> {
  const list = matchMedia(query)
  const matches = signal(list.matches)
  list.addEventListener('change', () => (matches.value = list.matches))
  return matches
}

function apply(): void {
  document.documentElement.dataset['theme'] = theme.value
  colours.value++
}

function stored(): Theme {
  const value = localStorage.getItem('theme')
  return value === 'light' || value === 'dark' ? value : 'system'
}
