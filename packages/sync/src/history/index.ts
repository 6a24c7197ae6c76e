// The door `@p2pl/sync/history`: topics whose messages are kept.
export { topicWithHistory } from './topic.ts'
export type {
  Draft,
  HistoryGap,
  HistoryItem,
  HistoryMessage,
  HistoryPublishOptions,
  HistorySubscribeOptions,
  HistorySubscription,
  TopicWithHistory,
  TopicWithHistoryOptions
} from './api.ts'
