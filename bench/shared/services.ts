/** The services of `npm run test:services`, for benches: a Ceph object gateway in memory and a PostgreSQL server. */
import { chmod, mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { type Gateway, startGateway } from '../../test/services/gateway.ts';
import { type PostgresServer, postgresCommands, startPostgres } from '../../test/services/postgres-server.ts';

export interface Services {
  readonly gateway: Gateway;
  readonly postgres: PostgresServer;
  readonly client: S3Client;
  /** Makes a bucket. @returns its name */
  makeBucket(): Promise<string>;
  /** Removes a bucket with all that is in it. */
  dropBucket(bucket: string): Promise<void>;
  /** URL of the backend that is a bucket. */
  urlOf(bucket: string): string;
  /** URL of a schema that there is none of yet. */
  newSchema(): string;
  stop(): Promise<void>;
}

/** @returns `undefined` where they are not installed, after a line on how to get them */
export async function startServices(folder: string, say: (line: string) => void): Promise<Services | undefined> {
  if ((await postgresCommands()) === undefined) {
    say('MISSING PostgreSQL and radosgw: `npm run test:services` installs them');
    return undefined;
  }
  await mkdir(folder);
  await chmod(folder, 0o755);
  await chmod(path.dirname(folder), 0o755);
  const gateway = await startGateway(path.join(folder, 'gateway'));
  const postgres = await startPostgres(path.join(folder, 'pg'));
  Object.assign(process.env, gateway.environment);
  const sdk = await import('@aws-sdk/client-s3');
  const client = new sdk.S3Client({
    ...{ endpoint: gateway.endpoint, region: 'us-east-1', forcePathStyle: true },
    ...{ requestChecksumCalculation: 'WHEN_REQUIRED' as const, responseChecksumValidation: 'WHEN_REQUIRED' as const },
  });
  let made = 0;
  const next = (): string => `bench-${process.pid}-${++made}`;
  return {
    ...{ gateway, postgres, client },
    makeBucket: async () => {
      const Bucket = next();
      await client.send(new sdk.CreateBucketCommand({ Bucket }));
      return Bucket;
    },
    dropBucket: async (Bucket) => {
      for (;;) {
        const { Contents = [] } = await client.send(new sdk.ListObjectsV2Command({ Bucket }));
        if (Contents.length === 0) break;
        for (const { Key } of Contents) await client.send(new sdk.DeleteObjectCommand({ Bucket, Key }));
      }
      await client.send(new sdk.DeleteBucketCommand({ Bucket }));
    },
    urlOf: (bucket) => `s3://${bucket}?endpoint=${gateway.endpoint}`,
    newSchema: () => `${postgres.url}?schema=${next().replaceAll('-', '_')}`,
    stop: async () => {
      client.destroy();
      await postgres.stop();
      await gateway.stop();
    },
  };
}
