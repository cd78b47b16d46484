"""The consensus of regions as what models are trained with: COCO, YOLO, CoNLL and spaCy's."""
