import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { QueueSettings } from './functions-host/index.ts';

const duration = z
  .string()
  .regex(/^\d\d:\d\d:\d\d$/)
  .transform((text) => {
    const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
    return (hours * 60 + minutes) * 60 + seconds;
  });

const hostJsonSchema = z.object({
  extensions: z.object({
    http: z.object({ routePrefix: z.string() }),
    queues: z.object({
      visibilityTimeout: duration,
      maxDequeueCount: z.int().min(1),
      batchSize: z.int().min(1).max(32),
      maxPollingInterval: duration,
      messageEncoding: z.literal('base64'),
    }),
  }),
});

/** What the embedded host takes from the function app's own host.json, so that it behaves as Azure will. */
export function readAppHostJson(): { readonly routePrefix: string; readonly queueSettings: QueueSettings } {
  const path = join(import.meta.dirname, '..', '..', 'host.json');
  const { http, queues } = hostJsonSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).extensions;
  return {
    routePrefix: http.routePrefix,
    queueSettings: {
      visibilityTimeoutSeconds: queues.visibilityTimeout,
      maxDequeueCount: queues.maxDequeueCount,
      batchSize: queues.batchSize,
      maxPollingIntervalMs: queues.maxPollingInterval * 1000,
    },
  };
}
