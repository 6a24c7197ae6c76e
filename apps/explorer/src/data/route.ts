import { type Signal, signal } from '@preact/signals'
import { setToken } from './api.ts'

export const views = ['network', 'entries', 'accounts', 'files', 'activity', 'write'] as const
export type ViewName = (typeof views)[number]

export const titles: Readonly<Record<ViewName, string>> = {
  network: 'Network',
  entries: 'Entries',
  accounts: 'Accounts',
  files: 'Files',
  activity: 'Activity',
  write: 'Write'
}

export const view: Signal<ViewName> = signal('network')

export function startRouting(): void {
  addEventListener('hashchange', read)
  read()
}

/** `#/entries` names a view. `#token=…` passes the token to the page; it never reaches the server. */
function read(): void {
  const [, given] = /^#token=(.+)$/.exec(location.hash) ?? []
  if (given !== undefined) {
    setToken(given)
    history.replaceState(null, '', '#/network')
  }
  const name = location.hash.slice(2)
  view.value = views.find((one) => one === name) ?? 'network'
}
