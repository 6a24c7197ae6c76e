import type { JSX } from 'preact'
import { agreement } from '../data/agreement.ts'
import { plural, short } from '../data/names.ts'
import { nodes } from '../data/nodes.ts'
import { titles, view, views } from '../data/route.ts'
import { connection } from '../data/stream.ts'
import { setTheme, type Theme, theme } from '../data/theme.ts'
import { useCalm } from './calm.ts'
import { TokenButton } from './token.tsx'

export function Header(): JSX.Element {
  const status = nodes.value.find((node) => node.status !== undefined)?.status
  return (
    <header class="top">
      <div class="bar">
        <div class="brand">
          <Logo />
          <div>
            <strong>{status?.network ?? 'p2pl ledger'}</strong>
            <small title={status?.genesis}>
              {status === undefined ? 'connecting' : `genesis ${short(status.genesis)}`}
            </small>
          </div>
        </div>
        <Pill />
        <div class="tools">
          <TokenButton />
          <ThemeSwitch />
        </div>
      </div>
      <nav aria-label="Views">
        {views.map((name) => (
          <a key={name} href={`#/${name}`} aria-current={view.value === name ? 'page' : undefined}>
            {titles[name]}
          </a>
        ))}
      </nav>
    </header>
  )
}

/** Whether all agree, at a glance and for screen readers. */
function Pill(): JSX.Element {
  const { roots, up, all } = agreement.value
  const away = up < all ? `, ${plural(all - up, 'is', 'are')} away` : ''
  const [kind, text] =
    connection.value === 'lost'
      ? ['bad', 'The server does not answer; trying again']
      : up === 0
        ? ['', 'Waiting for the first node']
        : roots.length > 1
          ? ['busy', `${roots.length} roots at ${up} nodes${away}`]
          : ['good', up === 1 ? `1 node is up${away}` : `${up} nodes agree${away}`]
  // The colour changes together with the text.
  const [shownKind, shownText] = useCalm(`${kind}\n${text}`).split('\n')
  return (
    <p class={`pill ${shownKind}`} role="status">
      {shownText}
    </p>
  )
}

const next: Readonly<Record<Theme, Theme>> = { system: 'light', light: 'dark', dark: 'system' }
const signs: Readonly<Record<Theme, string>> = { system: '◐', light: '☀', dark: '☾' }

function ThemeSwitch(): JSX.Element {
  const current = theme.value
  return (
    <button
      type="button"
      class="plain icon"
      aria-label={`Colours: ${current}. Change to ${next[current]}`}
      title={`Colours: ${current}`}
      onClick={() => setTheme(next[current])}
    >
      <span aria-hidden="true">{signs[current]}</span>
    </button>
  )
}

function Logo(): JSX.Element {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" class="logo">
      <path d="M16 7 7 24h18z" />
      <circle cx="16" cy="7" r="4" />
      <circle cx="7" cy="24" r="4" />
      <circle cx="25" cy="24" r="4" />
    </svg>
  )
}
