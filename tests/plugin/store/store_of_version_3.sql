BEGIN TRANSACTION;
CREATE TABLE annotations (project INTEGER NOT NULL, id INTEGER NOT NULL, task INTEGER NOT NULL,
           annotator INTEGER NOT NULL, result TEXT NOT NULL, was_cancelled INTEGER NOT NULL,
           ground_truth INTEGER NOT NULL, updated_at TEXT NOT NULL, lead_time DOUBLE PRECISION,
           PRIMARY KEY (project, task, id));
INSERT INTO "annotations" VALUES(1,11,1,5,'[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["cat"]}}]',0,0,'2026-11-02T10:00:11.000000Z',2.5);
INSERT INTO "annotations" VALUES(1,12,1,6,'[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["dog"]}}]',0,0,'2026-11-02T10:00:12.000000Z',2.5);
INSERT INTO "annotations" VALUES(1,13,1,8,'[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["cat"]}}]',0,1,'2026-11-02T10:00:13.000000Z',2.5);
INSERT INTO "annotations" VALUES(1,21,2,5,'[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["dog"]}}]',0,0,'2026-11-02T10:00:21.000000Z',2.5);
INSERT INTO "annotations" VALUES(1,22,2,0,'[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["dog"]}}]',0,0,'2026-11-02T10:00:22.000000Z',NULL);
INSERT INTO "annotations" VALUES(1,23,2,6,'[]',1,0,'2026-11-02T10:00:23.000000Z',2.5);
CREATE TABLE facts (project INTEGER NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
           PRIMARY KEY (project, name));
INSERT INTO "facts" VALUES(1,'created_at','"2026-11-01T10:00:00.000000Z"');
INSERT INTO "facts" VALUES(1,'versions','{"crowd-consensus":{"count":1,"latest":"2026-11-02T11:00:00.000000Z"},"crowd-queue-1":{"count":1,"latest":"2026-11-02T11:00:01.000000Z"}}');
INSERT INTO "facts" VALUES(1,'names','{"5":"Ada","6":"Bo","8":""}');
INSERT INTO "facts" VALUES(1,'annotators','[5,6,8]');
INSERT INTO "facts" VALUES(1,'complete_until','"2026-11-02T10:02:50.000001Z"');
INSERT INTO "facts" VALUES(1,'settled','[1]');
INSERT INTO "facts" VALUES(1,'history','[[1800000090.0,5,0.8,0.6,0.9]]');
INSERT INTO "facts" VALUES(1,'connection','{"settings":{"sampling":"Sequential sampling","maximum_annotations":2,"show_overlap_first":false,"model_version":""},"overlaps":{"3":4},"options":{"max_labels":7},"backends":["http://127.0.0.1:9090"],"tab_made":true}');
INSERT INTO "facts" VALUES(1,'setup','{"uid":"7.1793527200","options":{"target_quality":0.95},"host":"127.0.0.1:9090"}');
INSERT INTO "facts" VALUES(1,'adopted','{"backends":["2026-11-01T10:05:00.000000Z"],"options":{"target_quality":0.95}}');
INSERT INTO "facts" VALUES(1,'declined_backends','["2026-10-01T10:05:00.000000Z"]');
INSERT INTO "facts" VALUES(1,'pending_import','{"version":"crowd-queue-2","expected":40,"at":1800000080.5}');
INSERT INTO "facts" VALUES(1,'costs','{"edit":0.25,"bulk":7.5,"delete_version":1.5}');
INSERT INTO "facts" VALUES(1,'scored_with','{"control":null,"classifier":"none","consensus":"hierarchical-dawid-skene","trust_ground_truth":false,"target_quality":null,"min_labels":null,"max_labels":5}');
INSERT INTO "facts" VALUES(1,'seen','{"snapshot":3,"project":{"title":"made up","label_config":"<View/>","skip_queue":"REQUEUE_FOR_OTHERS","sampling":"Uncertainty sampling","maximum_annotations":1,"show_overlap_first":false,"model_version":"crowd-queue-1"},"options":{"control":null,"classifier":"none","consensus":"hierarchical-dawid-skene","trust_ground_truth":false,"target_quality":null,"min_labels":null,"max_labels":5,"queue_size":null,"label_budget":null,"show_consensus":false,"retrain_share":0.05,"retrain_hours":6.0,"consensus_changes":200}}');
INSERT INTO "facts" VALUES(1,'problems','[{"at":1800000070.0,"kind":"train","problem":"no memory","times":2,"away":false},{"at":1800000071.0,"kind":"rescore","problem":"away","times":1,"away":true}]');
INSERT INTO "facts" VALUES(1,'forecast','{"labels":30,"circumstances":{"control":null,"classifier":"none","consensus":"hierarchical-dawid-skene","trust_ground_truth":false,"target_quality":null,"min_labels":null,"max_labels":5},"queue":{"further_labels":[0,1],"mean":[0.9090909090909091,1.0],"low":[0.7227272727272728,0.7272727272727273],"high":[0.9090909090909091,1.0]},"needed":{"value":2.0,"low":2.0,"high":2.150000000000002,"reason":""},"random":{"further_labels":[0,1],"mean":[0.9090909090909091,0.9090909090909091],"low":[0.7227272727272728,0.7227272727272728],"high":[0.9090909090909091,1.0]}}');
INSERT INTO "facts" VALUES(1,'reliability','{"labels":30,"coefficients":{"mean_kappa":{"value":0.0,"low":null,"high":null,"reason":""},"fleiss_kappa":{"value":-0.1111111111111105,"low":null,"high":null,"reason":""},"alpha":{"value":-0.07407407407407418,"low":-0.20833333333333326,"high":0.0,"reason":""}}}');
INSERT INTO "facts" VALUES(1,'dry_run','{"at":1800000085.0,"report":{"project":1,"title":"made up","control":"label","dry_run":true,"trigger":"change","tasks":11,"labelled_tasks":10,"labels":30,"annotators":3,"classes":["a","b"],"set_aside":{},"ground_truth_annotations":0,"ground_truth_trusted":0,"classifier":"none: as asked; labels are judged by the annotators alone","consensus":"hierarchical-dawid-skene","trained":true,"mean_consensus_quality":0.9899995283007275,"estimated_accuracy":{"value":0.9899995283007275,"low":0.795856753552927,"high":0.9899995283007275,"reason":""},"settled":10,"settled_by":{"truth":0,"quality":10,"labels":0,"skips":0},"changed_tasks":1,"deleted_tasks":0,"full_pull":false,"changes":{"queue":1,"reopen":0,"close":0,"queue_version":"crowd-queue-1","queue_create":1,"queue_update":0,"queue_delete":0,"switch_to":"crowd-queue-1","consensus_create":10,"consensus_update":0,"consensus_delete":0,"versions_deleted":[],"deferred":0},"expected_seconds":4.0,"warnings":[],"seconds":{"look":0.0,"pull":0.001,"score":3.689,"train":0.003,"publish":0.016},"seconds_waited":0.0}}');
CREATE TABLE jobs (project INTEGER NOT NULL, kind TEXT NOT NULL, generation INTEGER NOT NULL,
           needs INTEGER NOT NULL, wanted_since DOUBLE PRECISION, wanted_last DOUBLE PRECISION,
           claim INTEGER NOT NULL, claimed_until DOUBLE PRECISION NOT NULL, retry_at DOUBLE PRECISION NOT NULL,
           failures INTEGER NOT NULL, problem TEXT, polled_at DOUBLE PRECISION NOT NULL,
           swept_at DOUBLE PRECISION NOT NULL, away INTEGER NOT NULL DEFAULT 0, progress TEXT, PRIMARY KEY (project, kind));
INSERT INTO "jobs" VALUES(1,'rescore',1,0,NULL,NULL,2,0.0,0.0,0,NULL,1800000000.0,1800000000.0,0,NULL);
INSERT INTO "jobs" VALUES(1,'train',2,3,1799999990.0,1800000000.0,2,1800000030.0,0.0,0,NULL,0.0,1800000000.0,0,'{"stage":"cross-validation","done":2,"total":5}');
INSERT INTO "jobs" VALUES(1,'forecast',1,3,1799999990.0,1800000000.0,1,1800000030.0,0.0,0,NULL,0.0,1800000000.0,0,NULL);
INSERT INTO "jobs" VALUES(1,'plan',1,3,1799999990.0,1800000000.0,2,0.0,1800000002.0,1,'The token is wrong.',0.0,1800000000.0,0,NULL);
INSERT INTO "jobs" VALUES(2,'rescore',1,3,1799999990.0,1800000000.0,2,0.0,1800000002.0,1,'Label Studio does not answer.',0.0,1800000000.0,1,NULL);
INSERT INTO "jobs" VALUES(3,'rescore',1,3,1799999990.0,1800000000.0,1,0.0,1800000001.0,0,NULL,0.0,1800000000.0,0,NULL);
INSERT INTO "jobs" VALUES(4,'rescore',1,3,1799999990.0,1800000000.0,2,1800000030.0,0.0,0,NULL,0.0,1800000000.0,0,NULL);
INSERT INTO "jobs" VALUES(5,'rescore',1,11,1800000005.0,1800000005.0,0,0.0,0.0,0,NULL,0.0,1800000005.0,0,NULL);
CREATE TABLE predictions (project INTEGER NOT NULL, id INTEGER NOT NULL, task INTEGER NOT NULL,
           model_version TEXT NOT NULL, score DOUBLE PRECISION, result TEXT NOT NULL, PRIMARY KEY (project, id));
INSERT INTO "predictions" VALUES(1,31,1,'crowd-consensus',0.75,'[{"from_name":"label","to_name":"text","type":"choices","value":{"choices":["cat"]}}]');
INSERT INTO "predictions" VALUES(1,32,3,'crowd-queue-1',NULL,'[]');
CREATE TABLE probabilities (project INTEGER PRIMARY KEY, classifier TEXT NOT NULL, summary TEXT NOT NULL,
           classes TEXT NOT NULL, tasks BLOB NOT NULL, pred_probs BLOB NOT NULL, answers INTEGER NOT NULL,
           newest TEXT NOT NULL, training TEXT NOT NULL DEFAULT '', trained_at DOUBLE PRECISION NOT NULL DEFAULT 0);
INSERT INTO "probabilities" VALUES(1,'text:text','word counts','["cat","dog"]',X'010000000000000002000000000000000300000000000000',X'000000000000E83F000000000000D03F000000000000C03F000000000000EC3F000000000000E03F000000000000E03F',5,'2026-11-02T10:03:00.000001Z','0123abcd',1800000050.0);
CREATE TABLE projects (id INTEGER PRIMARY KEY, server TEXT NOT NULL, project INTEGER NOT NULL,
           UNIQUE (server, project));
INSERT INTO "projects" VALUES(1,'http://localhost:8080',7);
INSERT INTO "projects" VALUES(2,'http://localhost:8080',8);
INSERT INTO "projects" VALUES(3,'http://localhost:8080',10);
INSERT INTO "projects" VALUES(4,'http://localhost:8080',11);
INSERT INTO "projects" VALUES(5,'http://localhost:8080',9);
CREATE TABLE runs (id INTEGER PRIMARY KEY, project INTEGER NOT NULL, finished_at DOUBLE PRECISION NOT NULL,
           report TEXT NOT NULL);
INSERT INTO "runs" VALUES(1,1,1800000100.0,'{"trigger":"webhook","labels":5}');
INSERT INTO "runs" VALUES(2,1,1800000100.0,'{"trigger":"poll","labels":5}');
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO "schema_version" VALUES(3);
CREATE TABLE snapshots (project INTEGER PRIMARY KEY, taken_at DOUBLE PRECISION NOT NULL,
           content BLOB NOT NULL);
INSERT INTO "snapshots" VALUES(1,1800000090.0,X'6120736E617073686F7400FF');
CREATE TABLE tasks (project INTEGER NOT NULL, id INTEGER NOT NULL, data TEXT NOT NULL,
           overlap INTEGER NOT NULL, is_labeled INTEGER NOT NULL, updated_at TEXT NOT NULL,
           data_changed_at TEXT NOT NULL, PRIMARY KEY (project, id));
INSERT INTO "tasks" VALUES(1,1,'{"text":"It isn''t a cat: 猫 ☃"}',3,1,'2026-11-02T10:01:00.250000Z','2026-11-02T10:01:00.250000Z');
INSERT INTO "tasks" VALUES(1,2,'{"text":"a dog"}',2,0,'2026-11-02T10:02:00.000000Z','2026-11-02T10:02:00.000000Z');
INSERT INTO "tasks" VALUES(1,3,'{"text":""}',1,0,'2026-11-02T10:03:00.000001Z','2026-11-02T10:03:00.000001Z');
CREATE INDEX annotations_by_id ON annotations (project, id);
CREATE INDEX runs_by_time ON runs (project, finished_at);
COMMIT;
