import type { JSX } from 'preact'
import { ContentList } from './content-list.tsx'
import { MessageList } from './message-list.tsx'
import { NodeList } from './node-list.tsx'
import { Picture } from './picture.tsx'
import { Player } from './player.tsx'

export function Network(): JSX.Element {
  return (
    <div class="network">
      <div>
        <section class="card" aria-labelledby="picture-title">
          <div class="head">
            <h2 id="picture-title">Who talks to whom</h2>
            <ul class="legend">
              <li>
                <span class="mark sent" /> message
              </li>
              <li>
                <span class="mark wanted" /> block wanted
              </li>
              <li>
                <span class="mark block" /> block given
              </li>
            </ul>
          </div>
          <Picture />
          <Player />
        </section>
        <MessageList />
      </div>
      <div>
        <NodeList />
        <ContentList />
      </div>
    </div>
  )
}
