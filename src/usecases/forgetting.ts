import type { Cache } from '../ports/cache.ts';
import type { InFlight } from './in-flight.ts';

type Forgetful = Pick<Cache<unknown>, 'clear'>;

export interface ForgettingOptions<Result> {
  /** What else goes by what was changed. */
  readonly more?: readonly Forgetful[];
  /** Whether what was done has changed anything. Default: always. */
  readonly isChange?: (result: Result) => boolean;
}

/**
 * Wraps what changes connections and grants: afterwards this process must not hand out what it remembers from before,
 * and it must not stop in the middle of one, for a code that is exchanged is spent. What failed may have changed
 * something.
 */
export function createForgetting(inFlight: Pick<InFlight, 'track'>, credentials: Forgetful) {
  return <Request extends readonly unknown[], Result>(
    change: (...request: Request) => Promise<Result>,
    { more = [], isChange = () => true }: ForgettingOptions<Result> = {},
  ) =>
    async (...request: Request): Promise<Result> => {
      let isChanged = true;
      try {
        const result = await inFlight.track(() => change(...request));
        isChanged = isChange(result);
        return result;
      } finally {
        if (isChanged) for (const cache of [credentials, ...more]) cache.clear();
      }
    };
}
