import type { JSX } from 'preact'
import { titles, view, type ViewName } from './data/route.ts'
import { Header } from './ui/header.tsx'
import { Accounts } from './views/accounts.tsx'
import { Activity } from './views/activity.tsx'
import { Entries } from './views/entries/entries.tsx'
import { Files } from './views/files.tsx'
import { Network } from './views/network/network.tsx'
import { Write } from './views/write.tsx'

const parts: Readonly<Record<ViewName, () => JSX.Element>> = {
  network: Network,
  entries: Entries,
  accounts: Accounts,
  files: Files,
  activity: Activity,
  write: Write
}

export function App(): JSX.Element {
  const Part = parts[view.value]
  return (
    <>
      <a
        class="skip"
        href="#content"
        onClick={(event) => {
          // The hash names the view.
          event.preventDefault()
          document.getElementById('content')?.focus()
        }}
      >
        Skip to content
      </a>
      <Header />
      <main id="content" tabIndex={-1}>
        <h1 class="hidden">{titles[view.value]}</h1>
        <Part />
      </main>
    </>
  )
}
